import { describe, expect, it } from 'vitest';
import { klingApiOf } from '../testing.ts';
import { mcpReplicas } from './absent.ts';

const autoscaling = { min: 3, max: 6, cpuPercent: 70 };

describe('who says how many MCP pods there are', () => {
  it.each([
    ['nothing set: free after creation', {}, { owned: undefined, initial: 2 }],
    ['replicas: owned', { replicas: 5 }, { owned: 5, initial: 5 }],
    ['no pods at all are a number too', { replicas: 0 }, { owned: 0, initial: 0 }],
    ['autoscaling: never owned, within its bounds at creation', { autoscaling }, { owned: undefined, initial: 3 }],
    ['autoscaling wins over replicas', { autoscaling, replicas: 5 }, { owned: undefined, initial: 5 }],
    ['more replicas than autoscaling allows', { autoscaling, replicas: 9 }, { owned: undefined, initial: 6 }],
  ])('%s', (_, mcp, expected) => {
    expect(mcpReplicas(klingApiOf({ mcp }).spec)).toEqual(expected);
  });
});

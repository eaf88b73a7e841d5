/** The page tells what the API server knows. */
import { expect, it } from 'vitest';
import { referencePage } from './reference.ts';

const page = referencePage();
const line = (start: string): string => page.split('\n').find((entry) => entry.startsWith(start)) ?? '';

it.each([
  ['a required field with its values', '| `spec.upstream.provider` (required) | `Kling`, `Sandbox`, `Custom` |'],
  ['a default and bounds', '| `spec.mcp.handshake.periodSeconds` | integer | `5` | 2 to 300 |'],
  ['a parent without its empty default', '| `spec.remediation.budget` | object |  |  |'],
  ['a number or a percentage', '| `spec.remediation.maxConcurrentRepairs` | integer or string | `1` | 1 to 100;'],
  ['what is in a list', '| `spec.networkPolicy.ingressFrom[].ipBlock.cidr` (required) | string |'],
  ['what goes through as it is', '| `spec.mcp.pod.affinity` | object, as Kubernetes has it |'],
  ['the status', '| `status.repairs[].outcome` | `'],
])('%s', (_, start) => {
  expect(line(start)).not.toBe('');
});

it('tells every rule with the field that it is about', () => {
  expect(line('- `spec.api.storage`: tasks do not move')).toContain('set replicas: 0 first');
  expect(line('- `spec.networkPolicy.ingressFrom`: networkPolicy.mode Enabled would shut out')).not.toBe('');
  expect(line('- metadata.name must have at most 40 characters')).not.toBe('');
});

it('explains every field', () => {
  expect(page.split('\n').filter((entry) => /^\| `.*\|\s+\|$/.test(entry))).toEqual([]);
});

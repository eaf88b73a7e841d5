import { Counter, Histogram, type Registry } from 'prom-client';
import type { Summary } from './admission.ts';
import { TOOL_NAMES } from './tools/register.ts';

const METHODS = new Set([
  'initialize',
  'notifications/initialized',
  'notifications/cancelled',
  'server/discover',
  'subscriptions/listen',
  'ping',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]);
const TOOLS = new Set<string>(TOOL_NAMES);

export interface RequestMetrics {
  observe(summary: Summary, status: number, seconds: number): void;
}

/** Requests by what they ask. Clients choose names, so names that are not ours all count as `other`. */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const total = new Counter({
    name: 'klingapi_mcp_requests_total',
    help: 'MCP requests by method, tool, protocol era and HTTP status.',
    labelNames: ['method', 'tool', 'era', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'klingapi_mcp_request_duration_seconds',
    help: 'Time until the reply to an MCP request was complete.',
    labelNames: ['method'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600],
    registers,
  });
  return {
    observe({ method: asked, name, era }, status, seconds) {
      const method = METHODS.has(asked) ? asked : 'other';
      const tool = method !== 'tools/call' ? '' : TOOLS.has(name) ? name : 'other';
      total.inc({ method, tool, era, status: String(status) });
      duration.observe({ method }, seconds);
    },
  };
}

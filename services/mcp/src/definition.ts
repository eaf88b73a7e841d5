import { McpServer } from '@modelcontextprotocol/server';
import { registerGuide } from './guide.ts';
import { registerPrompts } from './prompts.ts';
import { registerResources } from './resources.ts';
import { registerTasks } from './tasks/extension.ts';
import { klingTasks } from './tasks/kling-tasks.ts';
import { offersOf } from './tools/offers.ts';
import { offerTools } from './tools/register.ts';
import type { ToolDependencies } from './tools/tool-dependencies.ts';
import { NAME, VERSION } from './version.ts';

const LISTED = { ttlMs: 300_000, cacheScope: 'public' } as const;

/** Who we are, with nothing to offer yet. */
export function emptyServer(): McpServer {
  return new McpServer(
    { name: NAME, version: VERSION, title: 'Kling' },
    {
      instructions: 'Makes pictures and videos with Kling. Read the prompt kling_usage_guide before the first task.',
      cacheHints: {
        'server/discover': LISTED,
        'tools/list': LISTED,
        'prompts/list': LISTED,
        'resources/list': LISTED,
        'resources/templates/list': LISTED,
      },
    },
  );
}

/**
 * The MCP server as clients see it. Made anew for every request: one instance
 * that is shared between clients has leaked data from one to another before
 * (CVE-2026-25536), and grows with each request it serves.
 */
export function buildServer(dependencies: ToolDependencies): McpServer {
  const server = emptyServer();
  const { api, stopping, toolsets, offered, era, openWaits, caller, onFault } = dependencies;
  offerTools(offersOf(server, onFault), dependencies, offered);
  registerGuide(server, toolsets);
  registerResources(server, dependencies);
  registerPrompts(server, toolsets);
  if (era === 'modern') registerTasks(server, klingTasks(api, stopping, Date.now));
  // The SDK looks in this very server, which was made for this notification alone.
  server.server.setNotificationHandler('notifications/cancelled', ({ params: { requestId } }) => {
    if (caller !== undefined && requestId !== undefined) openWaits.end(caller.clientId, requestId);
  });
  return server;
}

import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createAuthenticator, type Identity } from '@klingapi/identity';
import { createRegistry, type Management, startManagement, trackConnections } from '@klingapi/management';
import { createHandshakeMetrics, createMonitor, handshake, handshakeRoutes, type ProbeReport } from '@klingapi/probe';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  type AuthInfo,
  createMcpHandler,
  type McpServer,
  type ProtocolEra,
  type ServerNotifier,
} from '@modelcontextprotocol/server';
import { type ApiClient, createApiClient } from './api-client.ts';
import { createCatalogue } from './catalogue.ts';
import { buildServer } from './definition.ts';
import { buildDoor } from './door.ts';
import { createFaultSorter } from './fault-sorter.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { createRequestMetrics } from './metrics.ts';
import { type OauthOptions, startOauth } from './oauth/start.ts';
import { createOpenWaits } from './open-waits.ts';
import { createSessionLeg, type SessionOptions, withSessions } from './sessions.ts';
import { createShortcuts } from './shortcuts.ts';
import { quickTools } from './tools/offers.ts';
import { offeredTools, offerTools } from './tools/register.ts';
import type { ToolDependencies } from './tools/tool-dependencies.ts';
import { ALL_TOOLSETS, type Toolsets } from './tools/toolsets.ts';

export interface McpOptions {
  host: string;
  /** 0 picks one. */
  port: number;
  path: string;
  management: { host: string; port: number };
  apiUrl: string;
  /** Instead of the one at that address (measurements). */
  api?: ApiClient;
  auth: 'callers' | 'oauth' | 'none';
  callersDir: string | undefined;
  /** Needed for `oauth`. */
  oauth?: OauthOptions | undefined;
  internalKey: string | undefined;
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  handshakeTimeoutMs: number;
  /** Groups of tools that are offered; all without it. */
  toolsets?: Toolsets;
  /** Of these tools only those with these names (measurements). */
  only?: readonly string[];
  /** What clients see instead of our tools (tests). Lists have to be alike for all callers. */
  definition?: (context: DefinitionContext) => McpServer;
  /** Off, the SDK is asked for every answer (tests). */
  shortcuts?: false;
  /** Sessions for the older era; without them it is served statelessly. */
  sessions?: SessionOptions;
  /** What one caller may hold; {@link DEFAULT_LIMITS} where nothing is said. */
  limits?: Partial<Limits>;
  onVerdict?: (report: ProbeReport) => void;
  /** Something broke in here. */
  onError?: (error: unknown) => void;
  /** A client did something wrong, and was told. */
  onClientFault?: (error: unknown) => void;
}

export interface DefinitionContext extends ToolDependencies {
  /** Tells clients that listen of changes. */
  notify: ServerNotifier;
}

export interface Mcp {
  url: string;
  management: Management;
  /** The steps of going down, in order; see `drainOnSignal`. */
  drain: readonly { name: string; run: () => Promise<void> | void }[];
  /** All steps at once (tests). */
  close(): Promise<void>;
}

const SELF: Identity = { subject: 'system:self', scopes: ['handshake'] };

/** Starts the MCP service: traffic on one port, management on another. */
export async function startMcp(options: McpOptions): Promise<Mcp> {
  const stopping = new AbortController();
  const define = options.definition ?? buildServer;
  const toolsets = options.toolsets ?? ALL_TOOLSETS;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const onError = options.onError ?? (() => {});
  const registry = createRegistry('mcp');
  // Good for nothing but the handshake with itself, known to this process alone.
  const ownToken = randomBytes(32).toString('base64url');

  const api = options.api ?? createApiClient({ url: options.apiUrl, internalKey: options.internalKey });
  const catalogue = createCatalogue({ api, now: () => performance.now() });
  const oauth = options.auth === 'oauth' ? startOauth(options.oauth, options.path, registry, onError) : null;
  const authenticate = createAuthenticator({
    auth: options.auth,
    judgeToken: oauth?.judge,
    callersDir: options.callersDir,
    internalKey: options.internalKey,
    audience: 'mcp',
    extraTokens: new Map([[ownToken, SELF]]),
    onError: (message) => onError(new Error(message)),
  });
  const requestMetrics = createRequestMetrics(registry);
  requestMetrics.apiDown(api.isDown);
  const faults = createFaultSorter({ onError, onClientFault: options.onClientFault ?? (() => {}) });
  const openWaits = createOpenWaits();
  const offered = offeredTools(toolsets).filter((name) => options.only?.includes(name) ?? true);
  const common = { api, catalogue, stopping: stopping.signal, openWaits, toolsets, offered, onFault: onError };
  const build = (caller: AuthInfo | undefined, era: ProtocolEra): McpServer =>
    define({ ...common, caller, era, notify: stateless.notify });
  const stateless = createMcpHandler(({ authInfo, era }) => build(authInfo, era), { onerror: faults.report });
  const handler =
    options.sessions === undefined
      ? stateless
      : withSessions(
          stateless,
          createSessionLeg(options.sessions, (caller) => build(caller, 'legacy')),
        );
  const shortcuts = createShortcuts({
    handler: stateless,
    tools:
      options.definition === undefined
        ? quickTools((offers) => offerTools(offers, { ...common, caller: undefined, era: 'modern' }, offered), onError)
        : new Map(),
    path: options.path,
    aside: faults.aside,
    maxRequestSeconds: limits.maxRequestSeconds,
    onOverTime: () => requestMetrics.limited('time'),
  });
  const app = buildDoor({
    path: options.path,
    // Clients come by the public name, whatever else is allowed.
    allowedHosts: [...options.allowedHosts, ...(oauth === null ? [] : [new URL(oauth.resource.url).hostname])],
    allowedOrigins: options.allowedOrigins,
    authenticate,
    resource: oauth?.resource ?? null,
    sessions: options.sessions !== undefined,
    limits,
    metrics: requestMetrics,
    faults,
    serve: toNodeHandler(handler, { onerror: faults.report }),
    // With sessions, `initialize` opens one.
    shortcuts: options.sessions === undefined && options.shortcuts !== false ? shortcuts : null,
    onError,
  });
  const connections = trackConnections(app.server);
  await app.listen({ host: options.host, port: options.port });
  const port = portOf(app.server.address());

  const metrics = createHandshakeMetrics(registry);
  let seen = '';
  const monitor = createMonitor({
    now: Date.now,
    run: () =>
      handshake({
        url: `http://${dialled(options.host)}:${port}${options.path}`,
        hostHeader: `localhost:${port}`,
        headers: { authorization: `Bearer ${ownToken}` },
        // Either era can break alone, and this server has to speak both.
        eras: 'Both',
        timeoutMs: options.handshakeTimeoutMs,
      }),
    onReport(report, tookMs) {
      metrics.observe(report, tookMs);
      const now = `${report.verdict} ${report.diagnosis}`;
      if (now !== seen) options.onVerdict?.(report);
      seen = now;
    },
  });
  const management = await startManagement({
    ...options.management,
    registry,
    routes: handshakeRoutes(monitor, () => stopping.signal.aborted),
    onError: (_path, error) => onError(error),
  });

  let closed: Promise<void> | undefined;
  const drain = [
    { name: 'readiness and waiting calls', run: () => stopping.abort() },
    // From here on nobody new is let in.
    {
      name: 'new requests',
      run: () => {
        connections.closeIdle();
        closed = app.close();
      },
    },
    // The server does not close while a stream of subscriptions is open.
    { name: 'mcp handler', run: () => handler.close() },
    { name: 'traffic', run: () => closed },
    {
      name: 'api client and management',
      run: async () => {
        authenticate.close();
        await Promise.all([api.close(), oauth?.close(), management.close()]);
      },
    },
  ];
  return {
    url: `http://${dialled(options.host)}:${port}${options.path}`,
    management,
    drain,
    async close() {
      for (const step of drain) await step.run();
    },
  };
}

/** The address by which this process reaches itself. */
function dialled(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the MCP server has no TCP port');
  return address.port;
}

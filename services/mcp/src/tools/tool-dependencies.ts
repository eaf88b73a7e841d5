import type { AuthInfo, ProtocolEra } from '@modelcontextprotocol/server';
import type { ApiClient } from '../api-client.ts';
import type { Asks } from '../call.ts';
import type { Catalogue } from '../catalogue.ts';
import type { OpenWaits } from '../open-waits.ts';
import type { Toolsets } from './toolsets.ts';

export interface ToolDependencies {
  api: ApiClient;
  catalogue: Catalogue;
  stopping: AbortSignal;
  openWaits: OpenWaits;
  toolsets: Toolsets;
  /** Who asks, for what the SDK calls without a word on that (completions). */
  caller: AuthInfo | undefined;
  /** Of the request that this server is made for. */
  era: ProtocolEra;
  /** What the one request asks for that the server is made for; undefined where it serves more. */
  asks?: Asks | undefined;
}

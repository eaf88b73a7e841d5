import type { AuthInfo, ProtocolEra } from '@modelcontextprotocol/server';
import type { ApiClient } from '../api-client.ts';
import type { Catalogue } from '../catalogue.ts';
import type { OpenWaits } from '../open-waits.ts';
import type { Toolsets } from './toolsets.ts';

export interface ToolDependencies {
  api: ApiClient;
  catalogue: Catalogue;
  stopping: AbortSignal;
  openWaits: OpenWaits;
  toolsets: Toolsets;
  /** Names of the tools of these toolsets. */
  offered: readonly string[];
  /** Something broke in a tool. */
  onFault: (error: unknown) => void;
  /** Who asks, for what the SDK calls without a word on that (completions). */
  caller: AuthInfo | undefined;
  /** Of the request that this server is made for. */
  era: ProtocolEra;
}

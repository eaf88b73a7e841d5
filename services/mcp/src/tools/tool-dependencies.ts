import type { AuthInfo } from '@modelcontextprotocol/server';
import type { ApiClient } from '../api-client.ts';
import type { Asks } from '../call.ts';
import type { Toolsets } from './toolsets.ts';

export interface ToolDependencies {
  api: ApiClient;
  stopping: AbortSignal;
  toolsets: Toolsets;
  /** Who asks, for what the SDK calls without a word on that (completions). */
  caller: AuthInfo | undefined;
  /** What the one request asks for that the server is made for; undefined where it serves more. */
  asks?: Asks | undefined;
}

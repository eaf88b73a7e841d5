import type { AuthInfo } from '@modelcontextprotocol/server';
import type { ApiClient } from '../api-client.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Toolsets } from './toolsets.ts';

export interface ToolDependencies {
  api: ApiClient;
  catalogue: Catalogue;
  stopping: AbortSignal;
  toolsets: Toolsets;
  /** Who asks, for what the SDK calls without a word on that (completions). */
  caller: AuthInfo | undefined;
}

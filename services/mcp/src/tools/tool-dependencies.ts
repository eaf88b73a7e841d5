import type { ApiClient } from '../api-client.ts';
import type { Toolsets } from './toolsets.ts';

export interface ToolDependencies {
  api: ApiClient;
  stopping: AbortSignal;
  toolsets: Toolsets;
}

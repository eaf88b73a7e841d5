import type { McpServer } from '@modelcontextprotocol/server';
import { CATALOGUE_TOOL_NAMES, registerCatalogueTools } from './catalogue-tools.ts';
import type { CreateTool } from './create-tool.ts';
import { CREATE_TOOLS, MORE_CREATE_TOOLS, ORIGINAL_CREATE_TOOLS } from './creates.ts';
import { LIST_TOOL_NAME, registerTaskList, registerTaskTools, TASK_TOOL_NAMES } from './task-tools.ts';
import type { ToolDependencies } from './tool-dependencies.ts';
import { isOffered, type Toolsets } from './toolsets.ts';

/** In the order in which clients see them: the original's first. */
export const TOOL_NAMES: readonly string[] = [
  ...ORIGINAL_CREATE_TOOLS.map(({ name }) => name),
  ...TASK_TOOL_NAMES,
  ...MORE_CREATE_TOOLS.map(({ name }) => name),
  LIST_TOOL_NAME,
  ...CATALOGUE_TOOL_NAMES,
];

/** What costs money, and so takes the scope `create`. */
export const CREATING_TOOLS: ReadonlySet<string> = new Set(CREATE_TOOLS.map(({ name }) => name));

/** Tools that are offered where these toolsets are. */
export function offeredTools(toolsets: Toolsets): readonly string[] {
  const off = new Set(CREATE_TOOLS.filter(({ toolset }) => !isOffered(toolset, toolsets)).map(({ name }) => name));
  return TOOL_NAMES.filter((name) => !off.has(name));
}

/** @param only the one tool that has to be there; all without it */
export function registerTools(server: McpServer, dependencies: ToolDependencies, only?: string): void {
  const { api, toolsets } = dependencies;
  const isWanted = (names: readonly string[]) => only === undefined || names.includes(only);
  const isOn = ({ name, toolset }: CreateTool) => isOffered(toolset, toolsets) && isWanted([name]);
  for (const tool of ORIGINAL_CREATE_TOOLS.filter(isOn)) tool.register(server, api);
  if (isWanted(TASK_TOOL_NAMES)) registerTaskTools(server, dependencies);
  for (const tool of MORE_CREATE_TOOLS.filter(isOn)) tool.register(server, api);
  if (isWanted([LIST_TOOL_NAME])) registerTaskList(server, dependencies);
  if (isWanted(CATALOGUE_TOOL_NAMES)) registerCatalogueTools(server, dependencies);
}

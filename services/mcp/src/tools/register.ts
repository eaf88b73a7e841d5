import { CATALOGUE_TOOL_NAMES, offerCatalogueTools } from './catalogue-tools.ts';
import type { CreateTool } from './create-tool.ts';
import { CREATE_TOOLS, MORE_CREATE_TOOLS, ORIGINAL_CREATE_TOOLS } from './creates.ts';
import type { Offers } from './offers.ts';
import { LIST_TOOL_NAME, offerTaskList, offerTaskTools, TASK_TOOL_NAMES } from './task-tools.ts';
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

/** @param names of the tools that have to be there; others are offered with them where they are made together */
export function offerTools(offers: Offers, dependencies: ToolDependencies, names: readonly string[]): void {
  const isWanted = (made: readonly string[]) => made.some((name) => names.includes(name));
  const offer = (tools: readonly CreateTool[]) => {
    for (const tool of tools) if (isWanted([tool.name])) tool.offer(offers, dependencies.api);
  };
  offer(ORIGINAL_CREATE_TOOLS);
  if (isWanted(TASK_TOOL_NAMES)) offerTaskTools(offers, dependencies);
  offer(MORE_CREATE_TOOLS);
  if (isWanted([LIST_TOOL_NAME])) offerTaskList(offers, dependencies);
  if (isWanted(CATALOGUE_TOOL_NAMES)) offerCatalogueTools(offers, dependencies);
}

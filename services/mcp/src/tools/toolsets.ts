/** Groups of tools that can be switched off; the tools for tasks are always there, as the others are no use without. */
export const TOOLSETS = ['images', 'videos', 'try-on'] as const;
export type Toolset = (typeof TOOLSETS)[number];
export type Toolsets = ReadonlySet<Toolset>;

export const ALL_TOOLSETS: Toolsets = new Set(TOOLSETS);

const TOOLSET_OF: Readonly<Record<string, Toolset>> = {
  create_text_to_image_tool: 'images',
  create_text_to_video_tool: 'videos',
  create_image_to_video_tool: 'videos',
  create_virtual_try_on_tool: 'try-on',
};

/** Whether a tool is offered. */
export function isOffered(tool: string, toolsets: Toolsets): boolean {
  const set = TOOLSET_OF[tool];
  return set === undefined || toolsets.has(set);
}

/** Groups of tools that can be switched off; the tools for tasks and the catalogue are always there, as the others are no use without. */
export const TOOLSETS = ['images', 'videos', 'try-on', 'sounds', 'library'] as const;
export type Toolset = (typeof TOOLSETS)[number];
export type Toolsets = ReadonlySet<Toolset>;

export const ALL_TOOLSETS: Toolsets = new Set(TOOLSETS);

export function isOffered(toolset: Toolset, toolsets: Toolsets): boolean {
  return toolsets.has(toolset);
}

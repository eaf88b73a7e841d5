/** The processes of the product: what is bundled, and the image that each becomes. */
export interface Process {
  /** Names the image `kling-<name>`. */
  readonly name: 'operator' | 'api' | 'mcp' | 'probe' | 'sandbox';
  /** The workspace, relative to the root of the repository. */
  readonly folder: string;
  /** Output in `dist/`, without `.js`, to the source it is made from. */
  readonly entryPoints: Readonly<Record<string, string>>;
  /** What it imports on demand stays in files of its own, which are read only then. */
  readonly splitting?: true;
  /** What the image's description label says. */
  readonly description: string;
}

export const PROCESSES: readonly Process[] = [
  {
    name: 'operator',
    folder: 'operator',
    entryPoints: { main: 'src/main.ts' },
    splitting: true,
    description: 'The KlingApi operator: runs the Kling service and repairs its MCP server',
  },
  {
    name: 'api',
    folder: 'services/api',
    entryPoints: { main: 'src/main.ts' },
    description: 'REST service of the Kling media-generation API',
  },
  {
    name: 'mcp',
    folder: 'services/mcp',
    entryPoints: { main: 'src/main.ts' },
    description: 'MCP service of the Kling media-generation API',
  },
  {
    name: 'probe',
    folder: 'services/probe',
    entryPoints: { main: 'src/main.ts', cli: 'src/cli.ts' },
    description: 'Sidecar and command that prove by a handshake that a server speaks MCP',
  },
  {
    name: 'sandbox',
    folder: 'services/sandbox',
    entryPoints: { main: 'src/main.ts' },
    description: 'A stand-in for the Kling API, for trying things without a key',
  },
];

/** @throws Error that lists the names, when one is not known */
export function processesNamed(names: readonly string[]): readonly Process[] {
  if (names.length === 0) return PROCESSES;
  return names.map((name) => {
    const found = PROCESSES.find((process) => process.name === name.replace(/^kling-/, ''));
    if (found !== undefined) return found;
    throw new Error(`there is no process ${name}; there are ${PROCESSES.map((process) => process.name).join(', ')}`);
  });
}

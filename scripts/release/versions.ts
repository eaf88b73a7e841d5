/** Every place that names the version of the product. A release needs them to agree. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export interface NamedVersion {
  /** File, and the field where it is not the only one. */
  readonly where: string;
  readonly version: string;
}

const CHART = 'charts/kling-operator/Chart.yaml';
/** Sources that tell others their version, and the line that does. */
const SOURCES: Readonly<Record<string, RegExp>> = {
  'services/mcp/src/version.ts': /VERSION = '([^']+)'/,
  'services/probe/src/requests.ts': /CLIENT = \{[^}]*version: '([^']+)'/,
};

const manifestSchema = z.object({ version: z.string(), workspaces: z.array(z.string()).default([]) });
const lockSchema = z.object({ version: z.string() });
const chartSchema = z.object({ version: z.string(), appVersion: z.string() });

export async function namedVersions(root: string): Promise<readonly NamedVersion[]> {
  const text = (path: string) => readFile(join(root, path), 'utf8');
  const manifest = async (path: string) => manifestSchema.parse(JSON.parse(await text(path)));
  const { version, workspaces } = await manifest('package.json');
  const members: NamedVersion[] = [];
  for await (const path of glob(
    workspaces.map((folder) => `${folder}/package.json`),
    { cwd: root },
  ))
    members.push({ where: path, version: (await manifest(path)).version });
  const chart = chartSchema.parse(parse(await text(CHART)));
  const sources = await Promise.all(
    Object.entries(SOURCES).map(async ([where, line]) => ({ where, version: line.exec(await text(where))?.[1] ?? '' })),
  );
  return [
    { where: 'package.json', version },
    { where: 'package-lock.json', version: lockSchema.parse(JSON.parse(await text('package-lock.json'))).version },
    ...members.sort((a, b) => (a.where < b.where ? -1 : 1)),
    { where: `${CHART} (version)`, version: chart.version },
    { where: `${CHART} (appVersion)`, version: chart.appVersion },
    ...sources,
  ];
}

/** @returns what keeps this from being a release; nothing when all is well */
export function disagreements([first, ...others]: readonly NamedVersion[]): readonly string[] {
  return others
    .filter(({ version }) => version !== first?.version)
    .map(({ where, version }) => `${where} says ${version || 'nothing'}, ${first?.where} says ${first?.version}`);
}

/** The dashboards of the chart as files, their queries, and the metrics that an expression asks for. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '../../charts/kling-operator/files/dashboards');
const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  panels: z.array(
    z.looseObject({
      id: z.number(),
      type: z.string(),
      title: z.string(),
      description: z.string().optional(),
      targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).default([]),
    }),
  ),
  annotations: z.looseObject({ list: z.array(z.looseObject({ expr: z.string() })) }),
  templating: z.looseObject({
    list: z.array(
      z.looseObject({ name: z.string(), definition: z.string().optional(), allValue: z.string().optional() }),
    ),
  }),
});
export interface Dashboard extends z.output<typeof dashboardSchema> {
  path: string;
}

export async function dashboards(): Promise<Dashboard[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const path = join(FOLDER, file);
      return { ...dashboardSchema.parse(JSON.parse(await readFile(path, 'utf8'))), path };
    }),
  );
}

export interface Asked {
  /** Dashboard and panel, such as `Kling / Fleet: Repairs`. */
  where: string;
  expr: string;
}

/** @param values of the dashboard's variables */
export const queriesOf = ({ title, panels }: Dashboard, values: Record<string, string>): Asked[] =>
  panels.flatMap((panel) =>
    panel.targets.map(({ refId, expr }) => ({
      where: `${title}: ${panel.title}${panel.targets.length > 1 ? ` ${refId}` : ''}`,
      expr: expr.replace(/\$(\w+)/g, (all, name: string) => values[name] ?? all),
    })),
  );

/** Names of metrics and records, with the labels that are asked of them. */
export function selectorsIn(expr: string): { name: string; labels: string[] }[] {
  const own =
    /\b(?:klingapi|klingoperator|namespace|controller_runtime|workqueue|rest_client|leader_election|http|process|nodejs)[_:][a-z0-9_:]+(?:\{([^}]*)\})?/g;
  return [...expr.matchAll(own)].map(([text, matchers = '']) => ({
    name: text.replace(/\{.*$/s, ''),
    labels: [...matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

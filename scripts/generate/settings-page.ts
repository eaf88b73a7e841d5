/** docs/reference/settings.md: every variable of every process, as the schema that reads it has it. */
import { z } from 'zod';
import { settingsSchema } from '../../operator/src/settings.ts';
import { environmentSchema as api, FILE_VARIABLES } from '../../services/api/src/environment.ts';
import { processVariables } from '../../services/management/src/environment.ts';
import { environmentSchema as mcp } from '../../services/mcp/src/environment.ts';
import { environmentSchema as probe } from '../../services/probe/src/environment.ts';
import { environmentSchema as sandbox, secretVariables } from '../../services/sandbox/src/settings.ts';

interface Process {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly files: readonly string[];
  /** Where the default is that of the machine. */
  readonly machine?: readonly string[];
}

const PROCESSES: readonly Process[] = [
  { name: 'api', schema: api, files: FILE_VARIABLES },
  { name: 'mcp', schema: mcp, files: ['INTERNAL_KEY'] },
  { name: 'probe', schema: probe, files: [] },
  { name: 'sandbox', schema: sandbox, files: secretVariables },
  { name: 'operator', schema: settingsSchema, files: ['LOG_SIGNATURES'], machine: ['POD_NAME'] },
];

/** @throws Error that names a variable without a description */
export function settingsPage(): string {
  const sections = PROCESSES.map((process) => `## \`${process.name}\`\n\n${table(process)}\n`);
  return `<!-- Generated from the schemas of the processes by \`npm run generate\`; do not edit. -->
# Settings

Each process reads its environment once, at start. A wrong or missing variable stops it with every problem listed at once, exit code 78. Empty counts as absent. Where "or a file" is said, \`<NAME>_FILE\` may name a mounted file instead, whose trimmed content is the value.

**A file.** \`CONFIG_FILE\` names a file of YAML or JSON whose keys are the names below, for example \`PORT: 5511\`; a comma list may be a list. The environment goes before it. A key that is none of the process is refused, with the nearest name. Secrets are better in files of their own (\`…_FILE\`, which may stand in it too).

\`HOST\`, \`MANAGEMENT_PORT\`, \`LOG_LEVEL\` and \`DRAIN_SECONDS\` mean the same everywhere.

${sections.join('\n')}`;
}

function table({ name: process, schema, files, machine = [] }: Process): string {
  if (!(schema instanceof z.ZodObject)) throw new Error(`the settings of ${process} are no object`);
  const rows = Object.entries(z.record(z.string(), z.instanceof(z.ZodType)).parse(schema.shape))
    .sort(([a], [b]) => order(a) - order(b))
    .map(([name, type]) => {
      if (type.description === undefined) throw new Error(`${process} says nothing of ${name}`);
      const meaning = cell(type.description) + (files.includes(name) ? '; or a file' : '');
      return `| \`${name}\` | ${meaning} | ${machine.includes(name) ? '' : defaultOf(type)} |`;
    });
  return ['| variable | meaning | default |', '|---|---|---|', ...rows].join('\n');
}

/** Those that are everywhere go last. */
const order = (name: string): number => (name in processVariables ? 1 : 0);
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');

function defaultOf(type: z.ZodType): string {
  const parsed = type.safeParse(undefined);
  if (!parsed.success) return '**required**';
  const value: unknown = parsed.data instanceof Set ? [...parsed.data] : parsed.data;
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  // Structures have defaults of their own, told in words.
  if (typeof value === 'object' && !(Array.isArray(value) && value.every((each) => typeof each === 'string')))
    return '';
  return `\`${String(value)}\``;
}

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { repairPage } from '../../report/html.ts';
import { repairReport } from '../../report/markdown.ts';
import { LANGUAGES } from '../../report/words.ts';
import { type KlingApi, klingApiSchema } from '../../resource/klingapi.ts';
import { namedKlingApi } from '../cluster/klingapis.ts';
import type { Command, Invocation } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';
import { formatted } from '../terminal/formats.ts';

const FORMATS = ['markdown', 'html', 'json', 'yaml'] as const;

/** From a file where there is no cluster to ask any more. */
async function klingApiFrom(file: string): Promise<KlingApi> {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(() => {
    throw new CommandError(`--filename: ${file} cannot be read`);
  });
  try {
    return klingApiSchema.parse(JSON.parse(content));
  } catch {
    throw new CommandError(`--filename: ${file} is no KlingApi as JSON (kubectl get klingapi NAME -o json gives one)`);
  }
}

const subjectOf = (invocation: Invocation): Promise<KlingApi> => {
  const file = invocation.options.text('filename');
  return file === undefined ? namedKlingApi(invocation) : klingApiFrom(file);
};

export const report: Command = {
  name: 'report',
  summary: 'Print the report of a repair',
  arguments: '[NAME]',
  most: 1,
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: FORMATS.join('|'),
      choices: FORMATS,
      says: 'How it is written (markdown)',
    },
    lang: { type: 'string', value: LANGUAGES.join('|'), choices: LANGUAGES, says: 'English or Chinese (en)' },
    repair: {
      type: 'string',
      value: 'ID',
      says: 'Which repair, as kubectl kling history shows them; the newest without it',
    },
    filename: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      says: 'KlingApi as JSON instead of the cluster; - for standard input',
    },
  },
  examples: [
    'kubectl kling report studio -n media',
    'kubectl kling report studio -n media -o html > report.html',
    'kubectl kling report studio -n media --lang zh',
    'kubectl get klingapi studio -n media -o json | kubectl kling report -f -',
  ],
  async run(invocation) {
    const { options, out } = invocation;
    const { metadata, status } = await subjectOf(invocation);
    const repairs = status?.repairs ?? [];
    const id = options.text('repair');
    const repair = id === undefined ? repairs[0] : repairs.find((entry) => entry.id === id);
    if (repair === undefined)
      throw new CommandError(
        repairs.length === 0
          ? `KlingApi ${metadata.name} was never repaired`
          : `there is no repair ${id}: the kept ones are ${repairs.map((entry) => entry.id).join(', ')}`,
      );
    const language = options.choice('lang', LANGUAGES) ?? 'en';
    const format = options.choice('output', FORMATS) ?? 'markdown';
    if (format === 'markdown') out(repairReport(metadata, repair, language));
    else if (format === 'html') out(repairPage(metadata, repair, language));
    else out(formatted(format, repair));
    return EXIT.ok;
  },
};

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { eraPolicySchema } from './report.ts';

/** Its flags, for the help and for whoever completes them. */
export const FLAGS = {
  eras: {
    type: 'string',
    value: eraPolicySchema.options.join('|'),
    choices: eraPolicySchema.options,
    says: 'eras that the server has to speak (Any)',
  },
  auth: {
    type: 'string',
    value: 'TOKEN',
    says: 'bearer token to send; env:NAME or file:PATH keep it off the command line',
  },
  header: { type: 'string', multiple: true, value: "'NAME: VALUE'", says: 'header to send, may be repeated' },
  host: { type: 'string', value: 'HOST', says: 'Host header to send' },
  timeout: { type: 'string', value: 'SECONDS', says: 'limit for the whole handshake (3)' },
  watch: { type: 'boolean', says: 'go on: one line a handshake, words when something changed' },
  interval: { type: 'string', value: 'SECONDS', says: 'between two of them (5)' },
  count: { type: 'string', value: 'NUMBER', says: 'end after so many' },
  json: { type: 'boolean', says: 'print the result as JSON; with --watch one line each' },
  help: { type: 'boolean', says: 'print this' },
} as const;

const flagLines = Object.entries(FLAGS).map(([name, flag]) =>
  `  --${name}${'value' in flag ? ` ${flag.value}` : ''}`.padEnd(33).concat(flag.says),
);

/** @param program as it is typed, such as `probe` */
export const usageOf = (program: string): string => `${program} URL [options]

Does one MCP handshake with the server at URL and says what it shows.

${flagLines.join('\n')}

Exit codes: 0 Serving, 1 Failing, 2 Unreachable, 3 AuthRequired, 4 Unknown, 64 wrong usage.
With --watch it is that of the last handshake.
`;

const headerSchema = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/, "a header is written 'NAME: VALUE'")
  .transform((text): [string, string] => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });
const seconds = (name: string) => z.coerce.number(`--${name} has to be a number of seconds`).positive();

const argumentsSchema = z.object({
  url: z.url({ protocol: /^https?$/, error: 'URL has to be an http or https address' }),
  eras: eraPolicySchema.default('Any'),
  auth: z.string().min(1).optional(),
  header: z.array(headerSchema).default([]),
  host: z.string().optional(),
  timeout: seconds('timeout').max(3600).default(3),
  watch: z.boolean().default(false),
  interval: seconds('interval').max(86_400).default(5),
  count: z.coerce.number('--count has to be a number').int().positive().optional(),
  json: z.boolean().default(false),
});

/** What the command was asked to do; `headers` holds the credentials. */
export interface Options extends Omit<z.output<typeof argumentsSchema>, 'auth' | 'header'> {
  headers: Record<string, string>;
}
export type Usage = { help: true } | { problem: string } | { options: Options };

/** @param env where `--auth env:NAME` looks */
export async function readUsage(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Usage> {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: FLAGS });
    if (values.help === true) return { help: true };
    if (positionals.length !== 1) return { problem: 'one URL is needed' };
    const parsed = argumentsSchema.safeParse({ ...values, url: positionals[0] });
    if (!parsed.success) {
      return { problem: parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('\n') };
    }
    const { auth, header, ...options } = parsed.data;
    const bearer = auth === undefined ? {} : { authorization: `Bearer ${await readToken(auth, env)}` };
    return { options: { ...options, headers: { ...bearer, ...Object.fromEntries(header) } } };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'the arguments cannot be read' };
  }
}

/** @throws Error that never holds the token */
async function readToken(auth: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  if (auth.startsWith('env:')) {
    const value = env[auth.slice(4)]?.trim() ?? '';
    if (value === '') throw new Error(`--auth: the variable ${auth.slice(4)} is not set`);
    return value;
  }
  if (auth.startsWith('file:')) {
    const content = await readFile(auth.slice(5), 'utf8').catch(() => '');
    if (content.trim() === '') throw new Error(`--auth: the file ${auth.slice(5)} cannot be read or is empty`);
    return content.trim();
  }
  return auth;
}

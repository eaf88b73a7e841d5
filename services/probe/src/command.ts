import { parseArgs } from 'node:util';
import { z } from 'zod';
import { handshake } from './handshake.ts';
import { eraPolicySchema, type HandshakeResult, type Verdict } from './report.ts';

/** Exit codes by verdict; 64 is wrong usage (sysexits EX_USAGE). */
export const EXIT_CODES: Record<Verdict, number> = {
  Serving: 0,
  Failing: 1,
  Unreachable: 2,
  AuthRequired: 3,
  Unknown: 4,
};
export const EXIT_USAGE = 64;

export const USAGE = `probe URL [options]

Does one MCP handshake with the server at URL and says what it shows.

  --eras Any|Modern|Legacy|Both  eras that the server has to speak (Any)
  --header 'NAME: VALUE'         header to send, may be repeated
  --host HOST                    Host header to send
  --timeout SECONDS              limit for the whole handshake (3)
  --json                         print the result as JSON
  --help                         print this

Exit codes: 0 Serving, 1 Failing, 2 Unreachable, 3 AuthRequired, 4 Unknown, 64 wrong usage.
`;

const headerSchema = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/, "a header is written 'NAME: VALUE'")
  .transform((text): [string, string] => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });

const argumentsSchema = z.object({
  url: z.url({ protocol: /^https?$/, error: 'URL has to be an http or https address' }),
  eras: eraPolicySchema.default('Any'),
  header: z.array(headerSchema).default([]),
  host: z.string().optional(),
  timeout: z.coerce.number('--timeout has to be a number of seconds').positive().max(3600).default(3),
  json: z.boolean().default(false),
});

export interface Output {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The command without its process: arguments in, text and exit code out. */
export async function runCommand(argv: readonly string[]): Promise<Output> {
  const read = readArguments(argv);
  if ('help' in read) return { exitCode: 0, stdout: USAGE, stderr: '' };
  if ('problem' in read) return { exitCode: EXIT_USAGE, stdout: '', stderr: `${read.problem}\n\n${USAGE}` };
  const { url, eras, header, host, timeout, json } = read.options;
  const result = await handshake({
    url,
    eras,
    headers: Object.fromEntries(header),
    timeoutMs: timeout * 1000,
    ...(host === undefined ? {} : { hostHeader: host }),
  });
  const stdout = json ? `${JSON.stringify(result, null, 2)}\n` : inWords(url, result);
  return { exitCode: EXIT_CODES[result.verdict], stdout, stderr: '' };
}

function readArguments(
  argv: readonly string[],
): { help: true } | { problem: string } | { options: z.output<typeof argumentsSchema> } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        eras: { type: 'string' },
        header: { type: 'string', multiple: true },
        host: { type: 'string' },
        timeout: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) return { help: true };
    if (positionals.length !== 1) return { problem: 'one URL is needed' };
    const parsed = argumentsSchema.safeParse({ ...values, url: positionals[0] });
    if (parsed.success) return { options: parsed.data };
    return { problem: parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('\n') };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'the arguments cannot be read' };
  }
}

function inWords(url: string, { verdict, diagnosis, message, era, evidence, server }: HandshakeResult): string {
  const lines = [
    `${verdict}${diagnosis === null ? '' : ` (${diagnosis})`}: ${message}`,
    `  address   ${withoutPassword(url)}`,
  ];
  if (server !== null) {
    const eras = era === 'Both' ? 'legacy and modern' : (era ?? '').toLowerCase();
    lines.push(`  server    ${server.name} ${server.version}`.trimEnd());
    lines.push(
      `  protocol  ${server.protocolVersions.join(', ')} (${eras})${server.sessionful ? ', with sessions' : ''}`,
    );
  }
  if (evidence.excerpt !== null && verdict !== 'Serving') lines.push(`  reply     ${evidence.excerpt}`);
  const { connectMs, firstByteMs, totalMs } = evidence.phases;
  const phase = (ms: number | null) => (ms === null ? 'never' : `${ms} ms`);
  lines.push(`  time      connected ${phase(connectMs)}, first byte ${phase(firstByteMs)}, total ${totalMs} ms`);
  return `${lines.join('\n')}\n`;
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}

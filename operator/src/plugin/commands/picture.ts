import { type Listed, namedKlingApi, readKlingApi } from '../cluster/klingapis.ts';
import { until } from '../cluster/wait.ts';
import type { Command, Invocation } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../errors.ts';
import { type Options, OUTPUT, TIMEOUT } from '../options.ts';
import { saved } from '../picture/file.ts';
import { makePicture, type Wanted } from '../picture/make.ts';
import { openRoute, ROUTE_OPTIONS } from '../picture/route.ts';
import { formatted } from '../terminal/formats.ts';
import { oneLine } from '../terminal/table.ts';
import { trustAuthority } from './doctor.ts';

const TIMEOUT_MS = 300_000;

export const picture: Command = {
  name: 'picture',
  summary: 'Make a picture through the MCP server, as a client does',
  arguments: 'NAME [PROMPT]',
  most: 2,
  about:
    'A real MCP client with the key of a caller, over the public address where there is one, else through the API server.\nWith the vendor a picture costs money.',
  options: {
    filename: { type: 'string', short: 'f', value: 'FILE', says: 'Where to put it (picture.png)' },
    task: { type: 'string', value: 'ID', says: 'Fetch the picture of this task, which was made before, and make none' },
    ...ROUTE_OPTIONS,
    ...TIMEOUT,
    ...OUTPUT,
  },
  examples: [
    'kubectl kling picture studio "a red kite over a quiet bay" -n media -f kite.png',
    'kubectl kling picture studio "a red kite" -n media --certificate-authority ca.crt --resolve kling.example.com:443:192.0.2.10',
  ],
  async run(invocation) {
    const { options, out, err, now, signal, pause } = invocation;
    const wanted = wantedBy(options);
    await trustAuthority(invocation);
    const named = await namedKlingApi(invocation);
    const began = now();
    const tell = (text: string): void =>
      err(`${`${((now() - began) / 1_000).toFixed(1)} s`.padStart(8)}  ${oneLine(text)}\n`);
    const deadline = began + (options.duration('timeout') ?? TIMEOUT_MS);
    const klingApi = await whenReady(invocation, named, deadline - began, tell);
    const route = await openRoute(invocation, klingApi);
    try {
      tell(`${route.url} ${route.isForwarded ? 'through the API server' : 'over its public address'}`);
      const { name, namespace } = named.metadata;
      const fetchesLater = (task: string): string =>
        `kubectl kling picture ${name} --task ${asWord(task)} -n ${namespace} fetches what it makes`;
      const made = await makePicture(route, wanted, { now, signal, pause, deadline, tell, fetchesLater });
      const file = await saved(options.text('filename'), made.bytes).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new CommandError(`the picture was made, but cannot be written: ${why}; ${fetchesLater(made.task)}`);
      });
      tell(`saved`);
      const { bytes, ...rest } = made;
      const format = options.choice('output', ['json', 'yaml']);
      out(
        format === undefined
          ? `${file}: ${made.mimeType}, ${bytes.byteLength} bytes\n`
          : formatted(format, { file, ...rest, size: bytes.byteLength }),
      );
      return EXIT.ok;
    } finally {
      await route.close();
    }
  },
};

/** The server chose it, and somebody pastes it into a shell. */
const asWord = (text: string): string => (/^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

function wantedBy(options: Options): Wanted {
  const [name, prompt = ''] = options.positionals;
  const task = options.text('task');
  if (name === undefined || (prompt.trim() === '') === (task === undefined))
    throw new UsageError(
      'picture takes the name of a KlingApi and what to draw, or --task with a task: kubectl kling picture NAME "PROMPT"',
    );
  return task === undefined ? { prompt } : { task };
}

/** What was applied a moment ago has neither pods nor a key yet. */
async function whenReady(
  invocation: Invocation,
  { metadata: { name, namespace } }: Listed,
  timeoutMs: number,
  tell: (text: string) => void,
): Promise<Listed> {
  let told = '';
  const ready = await until(invocation, { timeoutMs }, async () => {
    const klingApi = await readKlingApi(invocation.kube(), name);
    const condition = klingApi.status?.conditions?.find(({ type }) => type === 'Ready');
    if (condition?.status === 'True') return klingApi;
    const why = condition?.message ?? 'no operator has seen it yet';
    if (why !== told) tell(`waits until ${name} is ready: ${why}`);
    told = why;
    return undefined;
  });
  if (ready !== undefined) return ready;
  throw new CommandError(`${name} is not ready: kubectl kling doctor ${name} -n ${namespace} says why`);
}

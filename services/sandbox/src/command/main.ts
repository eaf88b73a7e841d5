/** `npm run sandbox`: the sandbox for people, on their own machine. */
import { EXIT_CONFIG, parseEnvironment } from '@klingapi/management';
import { z } from 'zod';
import { startSandbox } from '../server.ts';
import { hasWholePair, optionsOf, PAIR_NEEDED, sandboxVariables, secretVariables } from '../settings.ts';
import { type Asked, byFlag, readFlags, USAGE } from './flags.ts';
import { greeting, paintFor, requestLine } from './lines.ts';

const schema = z
  .object({ ...sandboxVariables, HOST: z.string().default('127.0.0.1') })
  .refine(hasWholePair, PAIR_NEEDED);

function give(code: number, text: string): never {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(code);
}

function asked(): Asked {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    const [words = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    return give(EXIT_CONFIG, `${words}\n\n${USAGE}`);
  }
}

const { isHelp, isQuiet, variables } = asked();
if (isHelp) give(0, USAGE);
const parsed = parseEnvironment(schema, { ...process.env, ...variables }, { files: secretVariables });
if (!parsed.ok)
  give(EXIT_CONFIG, `${parsed.problems.map(byFlag).join('\n')}\n\nnpm run sandbox -- --help tells what there is`);

const { HOST: host } = parsed.value;
const paint = paintFor(process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '');
const sandbox = await startSandbox({
  ...optionsOf(parsed.value),
  host,
  onRequest: (told) => {
    if (!isQuiet) process.stdout.write(`${requestLine(told, new Date(), paint)}\n`);
  },
}).catch((error: unknown) => {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  if (!isTaken)
    return give(
      1,
      `The sandbox could not listen on ${host}: ${error instanceof Error ? error.message : String(error)}`,
    );
  return give(
    1,
    `Port ${parsed.value.PORT} is taken. Choose another: npm run sandbox -- --port ${parsed.value.PORT + 1}`,
  );
});
process.stdout.write(`${greeting(sandbox.url, paint)}\n`);

const stop = () => void sandbox.close().then(() => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
// Nobody reads any more, as after `| head`.
process.stdout.on('error', stop);

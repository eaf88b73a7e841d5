import { createHandshaker, type HandshakeOptions, handshake } from './handshake.ts';
import { createMonitor } from './monitor.ts';
import type { HandshakeResult, Verdict } from './report.ts';
import { type Options, readUsage, usageOf } from './usage.ts';
import { inWords } from './words.ts';

/** Exit codes by verdict; 64 is wrong usage (sysexits EX_USAGE). */
export const EXIT_CODES: Record<Verdict, number> = {
  Serving: 0,
  Failing: 1,
  Unreachable: 2,
  AuthRequired: 3,
  Unknown: 4,
};
export const EXIT_USAGE = 64;

/** What the command needs of its process. */
export interface Surroundings {
  out: (text: string) => void;
  err: (text: string) => void;
  env: Readonly<Record<string, string | undefined>>;
  /** Ends `--watch`. */
  signal: AbortSignal;
  /** Resolves after the time, or at once when the signal is aborted. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * The command without its process.
 *
 * @param program as it is typed, for the help
 * @returns the exit code
 */
export async function runCommand(
  argv: readonly string[],
  around: Surroundings,
  program: string = 'probe',
): Promise<number> {
  const usage = await readUsage(argv, around.env);
  if ('help' in usage) {
    around.out(usageOf(program));
    return 0;
  }
  if ('problem' in usage) {
    around.err(`${usage.problem}\n\n${usageOf(program)}`);
    return EXIT_USAGE;
  }
  const { options } = usage;
  return options.watch ? await watch(options, around) : await once(options, around);
}

async function once(options: Options, { out }: Surroundings): Promise<number> {
  const result = await handshake(handshakeOptions(options));
  out(options.json ? `${JSON.stringify(result, null, 2)}\n` : inWords(options.url, result));
  return EXIT_CODES[result.verdict];
}

/** One line a handshake; when the verdict or the diagnosis is another than before, all of it. */
async function watch(options: Options, { out, signal, pause }: Surroundings): Promise<number> {
  const shake = createHandshaker();
  let knownEra: HandshakeResult['era'] = null;
  let result: HandshakeResult | null = null;
  let seen = '';
  const monitor = createMonitor({
    now: Date.now,
    async run() {
      result = await shake({ ...handshakeOptions(options), knownEra, signal });
      knownEra = result.verdict === 'Failing' || result.verdict === 'Unreachable' ? null : (result.era ?? knownEra);
      return result;
    },
  });
  let code = EXIT_CODES.Unknown;
  for (let done = 0; !signal.aborted && done < (options.count ?? Number.POSITIVE_INFINITY); done++) {
    if (done > 0) await pause(options.interval * 1000, signal);
    if (signal.aborted) break;
    const report = await monitor.check();
    // A handshake that was cut off by the end of the watch says nothing.
    if (signal.aborted || result === null) break;
    code = EXIT_CODES[report.verdict];
    if (options.json) {
      out(`${JSON.stringify(report)}\n`);
      continue;
    }
    const failing = report.failingSince === null ? '' : `, failing since ${report.failingSince.slice(11, 19)}`;
    const diagnosis = report.diagnosis === null ? '' : ` (${report.diagnosis})`;
    out(`${report.at.slice(11, 19)}Z ${report.verdict}${diagnosis} ${report.evidence.phases.totalMs} ms${failing}\n`);
    const now = `${report.verdict} ${report.diagnosis}`;
    if (now !== seen) out(inWords(options.url, result).replace(/^(?=.)/gm, '  '));
    seen = now;
  }
  return code;
}

function handshakeOptions({ url, eras, headers, host, timeout }: Options): HandshakeOptions {
  return { url, eras, headers, timeoutMs: timeout * 1000, ...(host === undefined ? {} : { hostHeader: host }) };
}

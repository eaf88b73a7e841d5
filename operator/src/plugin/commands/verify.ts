import { VERIFY_ANNOTATION } from '../../resource/klingapi.ts';
import type { Verification } from '../../resource/status.ts';
import { annotate } from '../cluster/change.ts';
import { type Listed, namedKlingApi, readKlingApi } from '../cluster/klingapis.ts';
import { until } from '../cluster/wait.ts';
import type { Around, Command } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';
import { OUTPUT, TIMEOUT } from '../options.ts';
import { formatted } from '../terminal/formats.ts';
import { oneLine, table } from '../terminal/table.ts';

const TIMEOUT_MS = 300_000;
/** Between two words of progress. */
const TELL_MS = 10_000;

const COLOURS = { Passed: 'good', Failed: 'bad', Inconclusive: 'warn', Skipped: 'dim' } as const;

export function verificationText({ summary, checks }: Verification, { paint }: Pick<Around, 'paint'>): string {
  const rows = checks.map(({ name, result, durationMs, reason, message }) => [
    name,
    paint[COLOURS[result]](result),
    durationMs === undefined ? '' : `${durationMs} ms`,
    oneLine(reason === undefined ? message : `${reason}: ${message}`),
  ]);
  return `${[...table(['CHECK', 'RESULT', 'TOOK', 'SEEN'], rows), '', `${summary} checks passed`].join('\n')}\n`;
}

/**
 * Whether it answers the request. The clocks of this machine and of the operator may differ, so no time is compared with the
 * request: one that somebody else asked for later answers too, one that was asked for before does not.
 */
function answers(verification: Verification, request: string, { metadata, status }: Listed): boolean {
  const { request: answered, at } = verification;
  if (answered === request) return true;
  const before = [status?.verification?.request, metadata.annotations?.[VERIFY_ANNOTATION]];
  return answered !== undefined && !before.includes(answered) && at !== status?.verification?.at;
}

export const verify: Command = {
  name: 'verify',
  summary: 'Let the operator do the three checks now, and wait for them',
  arguments: '[NAME]',
  most: 1,
  about: `Gives the annotation ${VERIFY_ANNOTATION} a new value. Whether a picture is among the checks is said by\nspec.verification: with the vendor it costs money, so Auto makes one for each revision. Exit code 1 where a check failed.`,
  options: { ...OUTPUT, ...TIMEOUT },
  examples: ['kubectl kling verify studio -n media', 'kubectl kling verify studio -n media -o json'],
  async run(invocation) {
    const { options, kube, out, err, now, paint, progressPaint } = invocation;
    const klingApi = await namedKlingApi(invocation);
    const { name } = klingApi.metadata;
    const request = new Date(now()).toISOString();
    await annotate(kube(), klingApi, VERIFY_ANNOTATION, request);
    err(`Asked for a verification of ${name}: API health, MCP handshake, a picture\n`);
    const began = now();
    let told = began;
    const verification = await until(invocation, { timeoutMs: options.duration('timeout') ?? TIMEOUT_MS }, async () => {
      const { status } = await readKlingApi(kube(), name);
      if (now() - told >= TELL_MS) {
        told = now();
        err(`${progressPaint.dim(`${Math.round((told - began) / 1_000)} s: not done yet`)}\n`);
      }
      const newest = status?.verification;
      return newest !== undefined && answers(newest, request, klingApi) ? newest : undefined;
    });
    if (verification === undefined)
      throw new CommandError(
        `no verification of ${name} was done in this time: kubectl kling doctor ${name} says whether an operator is there to do it, and kubectl kling version whether it is as new as this command`,
      );
    const format = options.choice('output', ['json', 'yaml']);
    out(format === undefined ? verificationText(verification, { paint }) : formatted(format, verification));
    return verification.checks.some(({ result }) => result === 'Failed') ? EXIT.finding : EXIT.ok;
  },
};

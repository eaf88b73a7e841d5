import { VERIFY_ANNOTATION } from '../../resource/klingapi.ts';
import type { Verification } from '../../resource/status.ts';
import { annotate } from '../cluster/change.ts';
import { namedKlingApi, readKlingApi } from '../cluster/klingapis.ts';
import { until } from '../cluster/wait.ts';
import type { Around, Command } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';
import { OUTPUT, TIMEOUT } from '../options.ts';
import { formatted } from '../terminal/formats.ts';
import { oneLine, table } from '../terminal/table.ts';

const TIMEOUT_MS = 300_000;
/** Between two words of progress. */
const TELL_MS = 10_000;
const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

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
      // a newer one, of somebody else, answers this one too
      const answered = status?.verification?.request ?? '';
      return ISO_TIME.test(answered) && answered >= request ? status?.verification : undefined;
    });
    if (verification === undefined)
      throw new CommandError(
        `no verification of ${name} was done in this time: kubectl kling doctor ${name} says whether an operator is there to do it`,
      );
    const format = options.choice('output', ['json', 'yaml']);
    out(format === undefined ? verificationText(verification, { paint }) : formatted(format, verification));
    return verification.checks.some(({ result }) => result === 'Failed') ? EXIT.finding : EXIT.ok;
  },
};

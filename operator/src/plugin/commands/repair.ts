import { REPAIR_ANNOTATION } from '../../resource/klingapi.ts';
import type { PodStatus, RepairRecord } from '../../resource/status.ts';
import { annotate } from '../cluster/change.ts';
import { type Listed, namedKlingApi, readKlingApi } from '../cluster/klingapis.ts';
import { until } from '../cluster/wait.ts';
import type { Command, Invocation } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';
import { OUTPUT, TIMEOUT } from '../options.ts';
import { formatted } from '../terminal/formats.ts';
import { oneLine } from '../terminal/table.ts';

const TIMEOUT_MS = 300_000;

/** @throws CommandError where a request would lie there and be acted on at another time */
function refuse({ metadata, spec, status }: Listed): string | undefined {
  const at = `${metadata.name} -n ${metadata.namespace}`;
  if (spec.paused)
    throw new CommandError(`KlingApi ${metadata.name} is paused, so nothing is repaired: kubectl kling resume ${at}`);
  if (spec.remediation.mode !== 'Auto')
    throw new CommandError(
      `spec.remediation.mode is ${spec.remediation.mode}, so nothing is repaired: set it to Auto, or delete the pod by hand`,
    );
  const pods = status?.mcp?.pods ?? [];
  const failing = pods.filter(({ verdict }) => verdict === 'Failing' || verdict === 'Unreachable');
  if (failing.length === 0 && pods.some(({ verdict }) => verdict === 'Unknown'))
    throw new CommandError(
      `it is not known whether the MCP pods of ${metadata.name} speak MCP: kubectl kling doctor ${at} says why`,
    );
  return pods.length > 0 && failing.length === 0
    ? 'every MCP pod passes its handshake: there is nothing to repair'
    : undefined;
}

const BY_ITSELF = 'every MCP pod passes its handshake again, and no repair was needed';

/** Then the operator takes the request for handled and writes no record of it. */
const serves = (pods: readonly PodStatus[]): boolean =>
  pods.length > 0 && pods.every(({ verdict }) => verdict === 'Serving' || verdict === 'AuthRequired');

/** Prints the steps of a record as they come. */
function follower({ err, progressPaint }: Invocation): (record: RepairRecord) => void {
  let told = 0;
  return (record) => {
    const first = Date.parse(record.steps[0]?.at ?? record.startedAt);
    for (const { name, at, detail = '' } of record.steps.slice(told)) {
      const after = `${((Date.parse(at) - first) / 1_000).toFixed(1)} s`.padStart(8);
      err(`${after}  ${name.padEnd(19)} ${progressPaint.dim(oneLine(detail))}\n`.replace(/ +\n$/, '\n'));
    }
    told = Math.max(told, record.steps.length);
  };
}

export const repair: Command = {
  name: 'repair',
  summary: 'Ask for one repair now, and print its steps as they come',
  arguments: '[NAME]',
  most: 1,
  about: `Gives the annotation ${REPAIR_ANNOTATION} a new value, which also ends RemediationExhausted. A pod that serves is left alone.`,
  options: { ...OUTPUT, ...TIMEOUT },
  examples: ['kubectl kling repair studio -n media', 'kubectl kling repair studio -n media --timeout 10m -o json'],
  async run(invocation) {
    const { options, kube, out, err, now, progressPaint } = invocation;
    const klingApi = await namedKlingApi(invocation);
    const { name } = klingApi.metadata;
    const format = options.choice('output', ['json', 'yaml']);
    const needless = refuse(klingApi);
    if (needless !== undefined) {
      out(format === undefined ? `${name}: ${needless}\n` : formatted(format, { repair: null, message: needless }));
      return EXIT.ok;
    }
    const known = new Set(
      (klingApi.status?.repairs ?? []).filter(({ outcome }) => outcome !== undefined).map(({ id }) => id),
    );
    await annotate(kube(), klingApi, REPAIR_ANNOTATION, new Date(now()).toISOString());
    err(`Asked for a repair of ${name}\n`);
    const follow = follower(invocation);
    let held = '';
    const ended = await until(invocation, { timeoutMs: options.duration('timeout') ?? TIMEOUT_MS }, async () => {
      const { status } = await readKlingApi(kube(), name);
      const begun = status?.repairs?.find(({ id }) => !known.has(id));
      if (begun !== undefined) follow(begun);
      const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
      if (begun === undefined && degraded !== undefined && degraded.message !== held) {
        held = degraded.message;
        err(`${progressPaint.dim(`waiting: ${degraded.reason}: ${oneLine(held)}`)}\n`);
      }
      if (begun === undefined)
        return serves(status?.mcp?.pods ?? []) ? ({ repair: null, message: BY_ITSELF } as const) : undefined;
      return begun.outcome === undefined ? undefined : { repair: begun };
    });
    if (ended === undefined)
      throw new CommandError(
        `no repair of ${name} has ended in this time: kubectl kling doctor ${name} says what is in the way, and kubectl kling version whether the operator is as new as this command`,
      );
    const { repair: record } = ended;
    if (record === null) {
      out(format === undefined ? `${name}: ${ended.message}\n` : formatted(format, ended));
      return EXIT.ok;
    }
    out(
      format === undefined
        ? `${record.pod}: ${record.diagnosis}, ${record.action}: ${record.outcome}${record.replacement === undefined ? '' : `; ${record.replacement} took its place`}\n`
        : formatted(format, ended),
    );
    return record.outcome === 'Failed' ? EXIT.finding : EXIT.ok;
  },
};

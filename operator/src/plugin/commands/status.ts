import { type Listed, listKlingApis, namedKlingApi } from '../cluster/klingapis.ts';
import type { Around, Command } from '../command.ts';
import { EXIT } from '../errors.ts';
import { ALL_NAMESPACES, OUTPUT } from '../options.ts';
import { ago, span } from '../terminal/duration.ts';
import { formatted } from '../terminal/formats.ts';
import { byStatus } from '../terminal/paint.ts';
import { oneLine, table } from '../terminal/table.ts';
import { type StatusSummary, summaryOf } from './status-summary.ts';

type Look = Pick<Around, 'paint'> & { now: number };

const mark = (status: string, { paint }: Look): string => byStatus(paint, status)(status);

/** @param word what it is where its condition is True; its reason says more than False */
const inAWord = ({ status, reason }: { status: string; reason: string }, word: string, { paint }: Look): string =>
  byStatus(paint, status)(status === 'True' ? word : reason);

/** All KlingApis, one line each. */
export function fleetText(summaries: readonly StatusSummary[], look: Look): string {
  const head = ['NAMESPACE', 'NAME', 'READY', 'REASON', 'MCP', 'VERIFIED', 'UPSTREAM', 'REPAIRS', 'MODE', 'AGE'];
  const rows = summaries.map((entry) => [
    entry.namespace,
    entry.name,
    mark(entry.ready.status, look),
    entry.ready.reason,
    entry.mcp.serving ?? '',
    entry.verification?.summary ?? '',
    mark(entry.upstream.status, look),
    String(entry.repairs.total),
    entry.paused ? look.paint.warn('paused') : entry.mode,
    entry.createdAt === undefined ? '' : span(look.now - Date.parse(entry.createdAt)),
  ]);
  return `${table(head, rows).join('\n')}\n`;
}

/** One KlingApi at a glance. */
export function statusText(entry: StatusSummary, look: Look): string {
  const { paint, now } = look;
  const { last } = entry.repairs;
  const fact = (name: string, ...parts: (string | undefined)[]): string =>
    `  ${name.padEnd(10)}${parts.filter((part) => part !== undefined && part !== '').join('   ')}`;
  const server =
    entry.mcp.server === undefined ? '' : paint.dim(`${entry.mcp.server.name} ${entry.mcp.server.version}`);
  const lines = [
    `${paint.bold(`KlingApi ${entry.name}`)} in namespace ${entry.namespace}   ${byStatus(paint, entry.ready.status)(entry.ready.status === 'True' ? 'Ready' : `not ready: ${entry.ready.reason}`)}`,
    ...(entry.ready.status === 'True' ? [] : [`  ${oneLine(entry.ready.message)}`]),
    '',
    fact('MCP', entry.mcp.serving === undefined ? 'not seen yet' : `${entry.mcp.serving} serve`, entry.mcp.url, server),
    fact('API', inAWord(entry.api, 'available', look), entry.api.url),
    fact(
      'Upstream',
      entry.upstream.provider,
      inAWord(entry.upstream, 'reachable', look),
      paint.dim(oneLine(entry.upstream.message)),
    ),
    fact(
      'Verified',
      entry.verification === undefined
        ? 'not yet'
        : `${entry.verification.summary}   ${ago(entry.verification.at, now)}`,
    ),
    fact(
      'Repairs',
      String(entry.repairs.total),
      last === undefined
        ? ''
        : `the last one ${ago(last.startedAt, now)}: ${last.diagnosis}, ${last.action}, ${last.outcome ?? 'under way'}`,
    ),
    fact('Mode', entry.paused ? paint.warn('paused') : entry.mode),
  ];
  if (entry.pods.length > 0) {
    const rows = entry.pods.map((pod) => [
      pod.name,
      (pod.verdict === 'Serving' || pod.verdict === 'AuthRequired'
        ? paint.good
        : pod.verdict === 'Unknown'
          ? paint.warn
          : paint.bad)(pod.verdict),
      pod.diagnosis ?? '',
      span(now - Date.parse(pod.since)),
      oneLine(pod.message ?? ''),
    ]);
    lines.push(
      '',
      ...table(['POD', 'VERDICT', 'DIAGNOSIS', 'SINCE', 'WHAT WAS SEEN'], rows).map((line) => `  ${line}`),
    );
  }
  const wrong = entry.conditions.filter(({ worth }) => worth);
  if (wrong.length > 0) {
    const rows = wrong.map(({ type, status, reason, message }) => [type, status, reason, oneLine(message)]);
    lines.push('', ...table(['CONDITION', 'STATUS', 'REASON', 'MESSAGE'], rows).map((line) => `  ${line}`));
    lines.push('', `  ${paint.dim(`kubectl kling doctor ${entry.name} -n ${entry.namespace} says where it breaks`)}`);
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

export const status: Command = {
  name: 'status',
  summary: 'Show a KlingApi at a glance, or all of them with -A',
  arguments: '[NAME]',
  most: 1,
  options: { ...ALL_NAMESPACES, ...OUTPUT },
  examples: ['kubectl kling status studio -n media', 'kubectl kling status -A', 'kubectl kling status studio -o json'],
  async run(invocation) {
    const { options, kube, out, err, paint, now } = invocation;
    const format = options.choice('output', ['json', 'yaml']);
    const look = { paint, now: now() };
    const isFleet = options.has('all-namespaces');
    const fleet: Listed[] | undefined = isFleet ? await listKlingApis(kube(), undefined, err) : undefined;
    if (fleet === undefined) {
      const summary = summaryOf(await namedKlingApi(invocation));
      out(format === undefined ? statusText(summary, look) : formatted(format, summary));
    } else if (format !== undefined) out(formatted(format, { items: fleet.map(summaryOf) }));
    else out(fleet.length === 0 ? 'There is no KlingApi in this cluster\n' : fleetText(fleet.map(summaryOf), look));
    return EXIT.ok;
  },
};

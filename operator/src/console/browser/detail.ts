import { h, put } from '@klingapi/page/browser';
import { DIAGNOSES, isDiagnosis } from '../../remediation/diagnoses.ts';
import type { Detail } from '../view.ts';
import { badge } from './badge.ts';
import { commandLine } from './command.ts';
import { verdictText } from './mark.ts';
import { repairsView } from './repairs.ts';
import { tableOf } from './report.ts';
import { timeline } from './timeline.ts';
import { clock, dayAndClock, words } from './words.ts';

export interface DetailView {
  readonly element: HTMLElement;
  /** @param since when the process that is asked began to look */
  update(detail: Detail, since: string): void;
}

/** Everything about one KlingApi. */
export function detailView(name: string): DetailView {
  const heading = h('h2', { tabindex: -1 }, name);
  const state = h('span');
  const standing = h('div', { class: 'trouble' });
  const facts = h('dl', { class: 'about' });
  const lanes = timeline();
  const checks = h('div');
  const pods = h('div');
  const conditions = h('div');
  const repairs = repairsView();
  const panel = (title: string, body: HTMLElement): HTMLElement =>
    h('section', { class: 'panel' }, h('h3', {}, title), body);
  let told = '';
  const element = h(
    'section',
    { class: 'detail' },
    h('p', {}, h('a', { href: '#/' }, `← ${words.back}`)),
    h('header', {}, heading, state),
    standing,
    facts,
    lanes.element,
    h('div', { class: 'pair' }, panel(words.verification, checks), panel(words.pods, pods)),
    repairs.element,
    panel(words.conditions, conditions),
  );
  return {
    element,
    update(detail, since) {
      put(state, badge(detail.standing.kind));
      if (JSON.stringify(detail.standing) !== told) {
        told = JSON.stringify(detail.standing);
        put(standing, ...standingParts(detail));
      }
      put(facts, ...factParts(detail));
      const look = commandLine(`kubectl get pods -n ${detail.namespace} -l klingapi.dev/name=${detail.name}`);
      lanes.draw(detail, h('div', {}, h('p', {}, words.noHandshakes(dayAndClock(since))), look));
      put(checks, checksTable(detail));
      put(pods, podsTable(detail));
      put(conditions, wide(words.conditions, conditionsTable(detail)));
      repairs.update(detail);
    },
  };
}

/** A table that may be wider than the page, reached by the keyboard. */
const wide = (label: string, table: HTMLElement): HTMLElement =>
  h('div', { class: 'lines', tabindex: 0, role: 'region', 'aria-label': label }, table);

function standingParts({ standing: { kind, reason, message, next }, pods }: Detail): (HTMLElement | false)[] {
  const diagnosis = [reason, ...pods.map((pod) => pod.diagnosis ?? '')].find(isDiagnosis);
  return [
    h('p', { class: 'why' }, h('strong', {}, reason), ` ${message}`),
    kind !== 'Well' && diagnosis !== undefined && h('p', {}, DIAGNOSES[diagnosis].meaning),
    kind !== 'Well' && diagnosis !== undefined && h('p', { class: 'hint' }, words.runbook(diagnosis)),
    next !== null && kind !== 'Well' && h('div', {}, h('p', {}, words.next), commandLine(next)),
  ];
}

function factParts({
  namespace,
  endpoints,
  server,
  mode,
  budget,
  remediation,
  serving,
  verified,
}: Detail): HTMLElement[] {
  const { recent = [], nextAllowedAt } = remediation;
  const used = recent.filter((at) => Date.now() - Date.parse(at) < budget.windowSeconds * 1000).length;
  const later = nextAllowedAt !== undefined && Date.parse(nextAllowedAt) > Date.now();
  const spent = words.budget(used, budget.repairs, Math.round(budget.windowSeconds / 60));
  const told: [string, string | undefined][] = [
    ['Namespace', namespace],
    [words.pods, serving ?? undefined],
    [words.verification, verified ?? undefined],
    [words.facts.endpoint, endpoints.mcp],
    [words.facts.server, server === null ? undefined : `${server.name} ${server.version}`],
    [words.facts.mode, mode],
    [words.facts.budget, later ? `${spent}; ${words.nextRepair(clock(nextAllowedAt))}` : spent],
  ];
  return told.flatMap(([term, text]) =>
    text === undefined ? [] : [h('div', {}, h('dt', {}, term), h('dd', {}, text))],
  );
}

function checksTable({ verification }: Detail): HTMLElement {
  if (verification === null) return h('p', {}, words.notVerified);
  const rows = verification.checks.map(({ name, result, message, durationMs }) => [
    name,
    h('span', { class: `result ${result}` }, result),
    message,
    durationMs === undefined ? '' : `${durationMs} ms`,
  ]);
  return h(
    'div',
    {},
    h('p', { class: 'hint' }, `${verification.summary} · ${dayAndClock(verification.at)}`),
    wide(words.verification, tableOf(words.checkHead, rows)),
  );
}

function podsTable({ pods, namespace, name }: Detail): HTMLElement {
  if (pods.length === 0)
    return h(
      'div',
      {},
      h('p', {}, words.noPods),
      commandLine(`kubectl describe deployment ${name}-mcp -n ${namespace}`),
    );
  const rows = pods.map(({ name: pod, verdict, diagnosis, message, since }) => [
    pod,
    h(
      'div',
      {},
      h('span', { class: `verdict ${verdict}` }, verdictText(verdict, diagnosis ?? null)),
      message !== undefined && h('p', { class: 'hint' }, message),
    ),
    dayAndClock(since),
  ]);
  return wide(words.pods, tableOf(words.podHead, rows));
}

const conditionsTable = ({ conditions }: Detail): HTMLElement =>
  tableOf(
    words.conditionHead,
    conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
      type,
      status,
      reason,
      message,
      dayAndClock(lastTransitionTime),
    ]),
  );

import { copyButton, h, put } from '@klingapi/page/browser';
import { reportContent } from '../../report/content.ts';
import { repairReport } from '../../report/markdown.ts';
import type { RepairRecord } from '../../resource/status.ts';
import type { Detail } from '../view.ts';
import { commandLine } from './command.ts';
import { reportElements } from './report.ts';
import { stepsDrawing } from './steps.ts';
import { dayAndClock, words } from './words.ts';

interface Entry {
  readonly element: HTMLDetailsElement;
  readonly update: (repair: RepairRecord, number: number) => void;
}

export interface Repairs {
  readonly element: HTMLElement;
  update(detail: Detail): void;
}

/** The newest repairs, each with its report. One that is open stays open while it goes on. */
export function repairsView(): Repairs {
  const entries = new Map<string, Entry>();
  const many = h('p', { class: 'hint' });
  const list = h('div', { class: 'repairs' });
  const element = h('section', { class: 'panel' }, h('h3', {}, words.repairsTitle), many, list);
  return {
    element,
    update(detail) {
      const { repairs, repairsTotal, namespace, name } = detail;
      put(many, repairs.length > 0 && words.newest(repairs.length, repairsTotal));
      if (repairs.length === 0) {
        entries.clear();
        put(
          list,
          h('p', {}, words.neverRepaired),
          commandLine(`kubectl events -n ${namespace} --for klingapi/${name}`),
        );
        return;
      }
      for (const [at, repair] of repairs.entries()) {
        const entry = entries.get(repair.id) ?? entryOf(detail);
        entries.set(repair.id, entry);
        entry.update(repair, at + 1);
      }
      const wanted = repairs.flatMap(({ id }) => entries.get(id)?.element ?? []);
      if (wanted.length !== list.children.length || wanted.some((each, at) => list.children[at] !== each)) {
        const focused = document.activeElement;
        put(list, ...wanted);
        if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
      }
      for (const id of entries.keys()) if (!repairs.some((repair) => repair.id === id)) entries.delete(id);
    },
  };
}

function entryOf(subject: Pick<Detail, 'name' | 'namespace'>): Entry {
  let told = '';
  let current: RepairRecord | undefined;
  const summary = h('summary');
  const report = h('div', { class: 'report' });
  const copy = copyButton(words.copyReport, words.copied, () =>
    current === undefined ? '' : repairReport(subject, current),
  );
  const element = h('details', { class: 'entry' }, summary, h('div', { class: 'buttons' }, copy), report);
  return {
    element,
    update(repair, number) {
      const { diagnosis, action, outcome, unavailableSeconds, startedAt } = repair;
      const now = JSON.stringify([repair, number]);
      if (now === told) return;
      told = now;
      current = repair;
      put(
        summary,
        h('span', { class: 'number' }, String(number)),
        h('strong', {}, diagnosis),
        h('span', {}, action),
        h('span', { class: `outcome ${outcome ?? ''}` }, outcome ?? words.underWay),
        unavailableSeconds !== undefined && h('span', {}, words.withoutService(unavailableSeconds.toFixed(1))),
        h('time', { datetime: startedAt }, dayAndClock(startedAt)),
      );
      put(report, stepsDrawing(repair), ...reportElements(reportContent(subject, repair)));
    },
  };
}

import { h, put } from '@klingapi/page/browser';
import { get } from './api.ts';
import { kindName, words } from './words.ts';

interface UsageRow {
  readonly kind: string;
  readonly model: string;
  readonly tasks: number;
  readonly failed: number;
  readonly units: number;
  readonly usd: number;
}

const SOON_MS = 500;

/** What today came to, from midnight where the reader is; unfolds into its lines. */
export function usageToday() {
  const total = h('summary');
  const lines = h('div', { class: 'lines', tabindex: 0, role: 'region', 'aria-label': words.today });
  const element = h('details', { class: 'usage', hidden: true }, total, lines);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const show = async (): Promise<void> => {
    const midnight = new Date();
    midnight.setHours(0, 0, 0, 0);
    const query = new URLSearchParams({ since: midnight.toISOString() });
    const reply = await get<{ usage: readonly UsageRow[] }>(`/api/usage?${query}`, { by: 'page' }).catch(
      () => undefined,
    );
    if (reply === undefined) return;
    const { usage } = reply;
    element.hidden = false;
    const sum = (of: (row: UsageRow) => number): number => usage.reduce((all, row) => all + of(row), 0);
    put(
      total,
      `${words.today}: `,
      h(
        'b',
        {},
        words.todayTotal(
          sum((row) => row.tasks),
          sum((row) => row.usd),
        ),
      ),
    );
    put(lines, usage.length === 0 ? h('p', {}, words.noUsage) : table(usage));
  };
  return {
    element,
    /** Several changes at once are asked for once. */
    refresh(): void {
      clearTimeout(timer);
      timer = setTimeout(() => void show(), SOON_MS);
    },
  };
}

function table(usage: readonly UsageRow[]): HTMLTableElement {
  const heads = words.usageTable;
  const rows = usage.map(({ kind, model, tasks, failed, units, usd }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, kindName(kind)),
      ...[model, tasks, failed, Math.round(units * 1000) / 1000, `$${usd.toFixed(3)}`].map((cell) =>
        h('td', {}, String(cell)),
      ),
    ),
  );
  const head = Object.values(heads).map((text) => h('th', { scope: 'col' }, text));
  return h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
}

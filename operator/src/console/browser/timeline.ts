import { h, newId, put } from '@klingapi/page/browser';
import type { Detail, Strip } from '../view.ts';
import { changesOf, incidentsOf, type Span, ticksOf } from './happenings.ts';
import { markAt, markTitle, VERDICTS, verdictText } from './mark.ts';
import { s } from './svg.ts';
import { clock, words } from './words.ts';

const MINUTES = [5, 15, 60] as const;
const LEFT = 64;
const RIGHT = 12;
const REPAIRS_HEIGHT = 40;
const LANE = 50;
const AXIS = 24;
const TABLE_ROWS = 60;

export interface Timeline {
  readonly element: HTMLElement;
  /** @param empty what to say where no handshake was seen */
  draw(detail: Detail, empty: HTMLElement): void;
}

/** Lanes of pods over time; above them the repairs, behind them the incidents. */
export function timeline(): Timeline {
  let redraw = (): void => {};
  const select = h(
    'select',
    { onchange: () => redraw() },
    ...MINUTES.map((many) => h('option', { value: many, selected: many === 15 }, words.minutes(many))),
  );
  const place = h('div', { class: 'drawing' });
  const table = h('div', { class: 'lines', tabindex: 0, role: 'region', 'aria-label': words.asTable });
  const element = h(
    'section',
    { class: 'panel timeline' },
    h('header', {}, h('h3', {}, words.timeline), h('label', {}, words.shown, select)),
    place,
    legend(),
    h('details', {}, h('summary', {}, words.asTable), table),
  );
  new ResizeObserver(() => redraw()).observe(place);
  return {
    element,
    draw(detail, empty) {
      redraw = () => {
        const now = Date.now();
        const minutes = Number(select.value);
        const span = { from: now - minutes * 60_000, to: now };
        const strips = detail.strips
          .map((strip) => ({ ...strip, marks: strip.marks.filter(({ at }) => at >= span.from) }))
          .filter(({ marks, present }) => present || marks.length > 0);
        const seen = strips.some(({ marks }) => marks.length > 0);
        put(place, !seen && empty, drawing(detail, strips, span, words.minutes(minutes), place.clientWidth));
        put(table, tableOf(strips));
      };
      redraw();
    },
  };
}

function drawing(detail: Detail, strips: readonly Strip[], span: Span, told: string, room: number): SVGElement {
  const width = Math.max(280, room);
  const height = REPAIRS_HEIGHT + strips.length * LANE + AXIS;
  const bottom = height - AXIS;
  const x = (at: number): number => {
    const part = (Math.min(Math.max(at, span.from), span.to) - span.from) / (span.to - span.from);
    return LEFT + part * (width - LEFT - RIGHT);
  };
  const incidents = incidentsOf(detail, span.to).filter(({ to }) => to >= span.from);
  const repairs = detail.repairs
    .map((repair, at) => ({ repair, number: at + 1, from: Date.parse(repair.startedAt) }))
    .filter(
      ({ from, repair }) =>
        (repair.finishedAt === undefined ? span.to : Date.parse(repair.finishedAt)) >= span.from && from <= span.to,
    );
  const hatch = newId();
  const laneTop = (at: number): number => REPAIRS_HEIGHT + at * LANE;

  return s(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': words.drawn(strips.length, incidents.length, repairs.length, told),
    },
    s(
      'defs',
      {},
      s(
        'pattern',
        { id: hatch, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
        s('rect', { width: 6, height: 6, class: 'incident-ground' }),
        s('rect', { width: 1.5, height: 6, class: 'incident-line' }),
      ),
    ),
    ...incidents.map(({ from, to }) =>
      s(
        'rect',
        { x: x(from), y: 0, width: Math.max(2, x(to) - x(from)), height: bottom, fill: `url(#${hatch})` },
        s('title', {}, `${words.incident} ${clock(from)} – ${clock(to)}`),
      ),
    ),
    ...ticksOf(span).flatMap((at) => [
      s('line', { x1: x(at), x2: x(at), y1: 0, y2: bottom, class: 'grid' }),
      s('text', { x: x(at), y: height - 8, 'text-anchor': 'middle' }, clock(at).slice(0, 5)),
    ]),
    s('text', { x: 0, y: 24 }, words.repairLane),
    ...strips.flatMap((strip, at) => lane(strip, laneTop(at), width, x)),
    ...repairs.flatMap(({ repair, number, from }) => {
      const at = strips.findIndex(({ pod }) => pod === repair.pod);
      const end = repair.finishedAt === undefined ? span.to : Date.parse(repair.finishedAt);
      return [
        ...(at < 0 ? [] : [s('line', { x1: x(from), x2: x(from), y1: 28, y2: laneTop(at) + LANE - 6, class: 'cut' })]),
        s('line', { x1: x(from), x2: x(end), y1: 20, y2: 20, class: 'repair-bar' }),
        ...repair.steps.map((step) =>
          s(
            'line',
            { x1: x(Date.parse(step.at)), x2: x(Date.parse(step.at)), y1: 13, y2: 27, class: 'step' },
            s('title', {}, `${clock(step.at)} ${step.name} ${step.detail ?? ''}`),
          ),
        ),
        s(
          'g',
          { transform: `translate(${x(from).toFixed(1)} 20)`, class: 'repair' },
          s('path', { d: 'M0-11l11 11-11 11-11-11z' }),
          s('text', { y: 4, 'text-anchor': 'middle' }, String(number)),
          s('title', {}, `${number}. ${clock(from)} ${repair.diagnosis}: ${repair.action}`),
        ),
      ];
    }),
  );
}

function lane({ pod, marks, present }: Strip, top: number, width: number, x: (at: number) => number): SVGElement[] {
  return [
    s('line', { x1: 0, x2: width, y1: top, y2: top, class: 'grid' }),
    s('text', { x: 0, y: top + 14, class: 'pod' }, present ? pod : `${pod} (${words.podGone})`),
    s('text', { x: 0, y: top + 29 }, words.operator),
    s('text', { x: 0, y: top + 43 }, words.probe),
    ...marks.flatMap((mark) => [
      markAt(x(mark.at), top + 25, mark.verdict, markTitle(mark, mark.verdict, mark.diagnosis)),
      ...(mark.probe === null
        ? []
        : [
            markAt(x(mark.at), top + 39, mark.probe.verdict, markTitle(mark, mark.probe.verdict, mark.probe.diagnosis)),
          ]),
    ]),
  ];
}

function legend(): HTMLElement {
  const sign = (...drawn: readonly SVGElement[]): SVGElement =>
    s('svg', { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' }, ...drawn);
  return h(
    'ul',
    { class: 'legend' },
    ...VERDICTS.map((verdict) => h('li', {}, sign(markAt(8, 8, verdict)), words.verdicts[verdict])),
    h('li', {}, sign(s('path', { d: 'M8 1l7 7-7 7-7-7z', class: 'repair-sign' })), words.legendRepair),
    h(
      'li',
      {},
      sign(
        s('path', { d: 'M0 0h16v16h-16z', class: 'incident-ground' }),
        s('path', { d: 'M-2 8L8-2M-2 14L14-2M2 18L18 2M8 18L18 8', class: 'incident-stroke' }),
      ),
      words.legendIncident,
    ),
  );
}

function tableOf(strips: readonly Strip[]): HTMLElement {
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, ...words.tableHead.map((text) => h('th', { scope: 'col' }, text)))),
    h(
      'tbody',
      {},
      ...changesOf(strips, TABLE_ROWS).map(({ pod, mark }) =>
        h(
          'tr',
          {},
          h('td', {}, clock(mark.at)),
          h('td', {}, pod),
          h('td', {}, verdictText(mark.verdict, mark.diagnosis)),
          h('td', {}, mark.probe === null ? '' : verdictText(mark.probe.verdict, mark.probe.diagnosis)),
          h('td', {}, `${Math.round(mark.tookMs)} ms`),
        ),
      ),
    ),
  );
}

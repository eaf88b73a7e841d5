/**
 * Grafana dashboards out of few words: what a panel asks, in which unit, and how wide it is. The layout follows from the order.
 * Source: Grafana's dashboard schema, as of version 39; test/unit/dashboards.test.ts reads the result by its published types.
 */

export interface Query {
  expr: string;
  /** Of a series, such as {{pod}}. */
  legend?: string;
}

export type Unit = 'short' | 's' | 'percentunit' | 'bytes' | 'reqps' | 'none' | 'dtdurations';

export interface Panel {
  title: string;
  /** The question that it answers. */
  answers: string;
  kind: 'timeseries' | 'stat' | 'state-timeline' | 'table';
  queries: Query[];
  unit?: Unit;
  /** Of 24. */
  width?: number;
  height?: number;
  /** Values from which a stat or cell is another colour; the first colour is that below all of them. */
  steps?: [first: Colour, ...(readonly [value: number, colour: Colour])[]];
  /** Words for values. */
  words?: Record<string, readonly [text: string, colour: Colour]>;
  stacked?: boolean;
}

type Colour = 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text';

/** What the choice All stands for: whatever the label says, or the values of the list and no others. Never series without it. */
type All = 'any' | 'listed';

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  /** Variables beside that of the data source, each with the query of its values. */
  variables: { name: string; label: string; query: string; all: false | All }[];
  rows: { title: string; panels: Panel[] }[];
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
const SOURCE = { type: 'prometheus', uid: '${datasource}' };
const REFS = 'ABCDEFGH';

const fieldConfig = ({ unit = 'short', steps, words, kind, stacked }: Panel): object => {
  const [first = 'green', ...rest] = steps ?? [];
  return {
    defaults: {
      unit,
      color: { mode: steps === undefined && words === undefined ? 'palette-classic' : 'thresholds' },
      thresholds: {
        mode: 'absolute',
        steps: [{ value: null, color: first }, ...rest.map(([value, color]) => ({ value, color }))],
      },
      mappings:
        words === undefined
          ? []
          : [
              {
                type: 'value',
                options: Object.fromEntries(
                  Object.entries(words).map(([value, [text, color]], index) => [value, { text, color, index }]),
                ),
              },
            ],
      ...(kind === 'timeseries'
        ? {
            min: 0,
            custom: {
              fillOpacity: 10,
              showPoints: 'never',
              stacking: { group: 'A', mode: stacked === true ? 'normal' : 'none' },
            },
          }
        : {}),
    },
    overrides: [],
  };
};

const OPTIONS = {
  timeseries: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: {
    colorMode: 'value',
    graphMode: 'none',
    justifyMode: 'auto',
    orientation: 'auto',
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    textMode: 'auto',
    wideLayout: true,
    percentChangeColorMode: 'standard',
    showPercentChange: false,
  },
  'state-timeline': {
    alignValue: 'left',
    legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
    mergeValues: true,
    rowHeight: 0.9,
    showValue: 'auto',
    tooltip: { mode: 'single', sort: 'none' },
  },
  table: { frameIndex: 0, showHeader: true, cellHeight: 'sm' },
} as const;

const target = (kind: Panel['kind'], { expr, legend = '' }: Query, index: number): object => ({
  refId: REFS[index],
  datasource: SOURCE,
  expr,
  ...(kind === 'table' ? { instant: true, range: false, format: 'table' } : { legendFormat: legend, range: true }),
});

/** Columns of the queries side by side, one row a KlingApi; each is named after its query's legend. */
const joined = (queries: Query[]): object[] => [
  { id: 'merge', options: {} },
  {
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      renameByName: Object.fromEntries(queries.map(({ legend = '' }, index) => [`Value #${REFS[index]}`, legend])),
    },
  },
];

/** @returns the dashboard as Grafana takes it */
export function dashboardJson({ uid, title, description, variables, rows }: Dashboard): string {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y += 1;
    let [x, tallest] = [0, 0];
    for (const panel of row.panels) {
      const { width: w = 8, height: h = panel.kind === 'stat' ? 4 : 8 } = panel;
      if (x + w > 24) [x, y, tallest] = [0, y + tallest, 0];
      panels.push({
        id: panels.length + 1,
        type: panel.kind,
        title: panel.title,
        description: panel.answers,
        datasource: SOURCE,
        gridPos: { h, w, x, y },
        targets: panel.queries.map((query, index) => target(panel.kind, query, index)),
        fieldConfig: fieldConfig(panel),
        options: OPTIONS[panel.kind],
        ...(panel.kind === 'table' ? { transformations: joined(panel.queries) } : {}),
      });
      x += w;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  const choices = variables.map(({ name, label, query, all }) => ({
    type: 'query',
    name,
    label,
    datasource: SOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    includeAll: all !== false,
    multi: all !== false,
    ...(all === 'any' ? { allValue: '.+' } : {}),
    ...(all === false ? {} : { current: { text: 'All', value: '$__all' } }),
  }));
  return `${JSON.stringify(
    {
      uid,
      title,
      description,
      tags: ['kling'],
      schemaVersion: 39,
      version: 1,
      editable: true,
      graphTooltip: 1,
      timezone: 'browser',
      refresh: '30s',
      time: { from: 'now-6h', to: 'now' },
      links: [
        {
          type: 'dashboards',
          title: 'Kling',
          tags: ['kling'],
          asDropdown: true,
          includeVars: true,
          keepTime: true,
          icon: 'external link',
          targetBlank: false,
          tooltip: '',
          url: '',
        },
      ],
      annotations: {
        list: [
          {
            name: 'Alerts',
            datasource: SOURCE,
            enable: true,
            iconColor: 'red',
            expr: 'ALERTS{alertname=~"Kling.*",alertstate="firing"}',
            titleFormat: '{{alertname}}',
            textFormat: '{{namespace}}/{{klingapi}}',
          },
        ],
      },
      templating: {
        list: [{ type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus' }, ...choices],
      },
      panels,
    },
    null,
    2,
  )}\n`;
}

/** What Prometheus is shown over time, and which alerts it is to raise; as promtool reads it. */

export interface Story {
  alert: string;
  /** What happens. */
  what: string;
  /** Time between two samples, such as 15s. */
  interval: string;
  /** Values by series. */
  series: Record<string, string>;
  /** Times at which the alert is not firing, and those at which it is, with its labels but name and severity. */
  quiet: string[];
  fires: Record<string, Record<string, string>[]>;
  severity: 'critical' | 'warning';
}

/** A value for so many samples each; null is none. */
export const held = (...parts: [value: number | null, samples: number][]): string =>
  parts.map(([value, samples]) => (value === null ? `_x${samples}` : `${value}+0x${samples - 1}`)).join(' ');

/** A counter that grows by `step` with each of so many samples, one part after another; null is none. */
export function counted(...parts: [step: number | null, samples: number][]): string {
  let value = 0;
  return parts
    .map(([step, samples]) => {
      if (step === null) return `_x${samples}`;
      const text = `${value}+${step}x${samples - 1}`;
      value += step * samples;
      return text;
    })
    .join(' ');
}

const labelsText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',');

/** A file for `promtool test rules`, in JSON, which is YAML. */
export function promtoolTest({ alert, what, interval, series, quiet, fires, severity }: Story, rules: string): string {
  const expr = `ALERTS{alertname="${alert}",alertstate="firing"}`;
  const samples = (labels: Record<string, string>) => ({
    labels: `ALERTS{${labelsText({ alertname: alert, alertstate: 'firing', severity, ...labels })}}`,
    value: 1,
  });
  return JSON.stringify({
    rule_files: [rules],
    evaluation_interval: interval,
    tests: [
      {
        name: what,
        interval,
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          ...quiet.map((at) => ({ expr, eval_time: at, exp_samples: [] })),
          ...Object.entries(fires).map(([at, all]) => ({ expr, eval_time: at, exp_samples: all.map(samples) })),
        ],
      },
    ],
  });
}

/**
 * For golden files: what a scrape tells, as a line of name, type and labels for each
 * metric but those of Node itself. Labels that every series has (`app`) and those of
 * the format (`le`) are left out. A metric without any series shows no labels.
 */
export function scraped(text: string): string {
  const metrics = new Map<string, { type: string; labels: Set<string> }>();
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined && !/^(process|nodejs)_/.test(name)) {
      metrics.set(name, { type, labels: new Set() });
    }
    const [, series = '', labels = ''] = /^(\w+?)(?:_bucket|_sum|_count)?\{(.*)\} /.exec(line) ?? [];
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) {
      if (!['app', 'le'].includes(label)) metrics.get(series)?.labels.add(label);
    }
  }
  const lines = [...metrics].map(([name, { type, labels }]) => [name, type, [...labels].sort().join(',')].join(' '));
  return lines
    .map((line) => `${line.trimEnd()}\n`)
    .sort()
    .join('');
}

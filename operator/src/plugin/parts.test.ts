/** The small pure parts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/errors.ts';
import { keeperOf } from './cluster/change.ts';
import { inOrder, lineOf } from './cluster/log-streams.ts';
import { watches } from './cluster/pods.ts';
import { inWords, refusalOf } from './cluster/refusal.ts';
import { ago, parseDuration, span } from './terminal/duration.ts';
import { oneLine, table, wrap } from './terminal/table.ts';
import { wellOf } from './testing.ts';

const forbidden = (message: string): KubeError => new KubeError({ code: 'Forbidden', status: 403, message });

describe('a refusal', () => {
  it.each([
    [
      'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "media"',
      'list pods in namespace media',
    ],
    [
      'klingapis.klingapi.dev is forbidden: User "x" cannot list resource "klingapis" in API group "klingapi.dev" at the cluster scope',
      'list klingapis.klingapi.dev in the whole cluster',
    ],
    [
      'pods "a" is forbidden: User "x" cannot get resource "pods/log" in API group "" in the namespace "media"',
      'get pods/log in namespace media',
    ],
  ])('%s', (message, right) => {
    expect(inWords(forbidden(message), 'https://c')).toContain(`your account may not ${right}: ask for that right`);
  });

  it('of another kind is shown as it came', () => {
    const error = forbidden('admission webhook "x" denied the request');
    expect(refusalOf(error)).toBeUndefined();
    expect(inWords(error, 'https://c')).toBe('admission webhook "x" denied the request');
  });
});

describe('spans of time', () => {
  it.each([
    [0, '0s'],
    [119_000, '119s'],
    [150_000, '2m30s'],
    [3_600_000, '60m'],
    [7_200_000, '2h'],
    [12_000_000, '3h20m'],
    [5 * 86_400_000, '5d'],
  ])('%d ms is %s', (ms, text) => expect(span(ms)).toBe(text));

  it('are read as kubectl reads them', () => {
    expect(['30', '30s', '5m', '1h30m', '250ms', '1.5h'].map(parseDuration)).toEqual([
      30_000, 30_000, 300_000, 5_400_000, 250, 5_400_000,
    ]);
    for (const text of ['', 'soon', '-5s', '5 m', '5y', 's']) expect(parseDuration(text)).toBeUndefined();
  });

  it('survive being printed and read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7_199 }), (seconds) => {
        const read = parseDuration(span(seconds * 1_000)) ?? -1;
        // minutes that are many have no seconds any more
        expect(Math.abs(read - seconds * 1_000)).toBeLessThan(seconds < 600 ? 1 : 60_000);
      }),
    );
  });

  it('of what is no time are empty', () => expect([ago(undefined, 0), ago('nonsense', 0)]).toEqual(['', '']));
});

describe('merged logs', () => {
  const source = { namespace: 'media', pod: 'a', container: 'mcp' };

  it('are in the order of their times, with lines that have none behind their own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.boolean()), { maxLength: 8 }), {
          maxLength: 4,
        }),
        (streams) => {
          const lines = streams.map((stream, index) =>
            [...stream]
              .sort(([a], [b]) => a - b)
              // the kubelet leaves out zeros at the end
              .map(([nanos, timed]) =>
                lineOf(
                  { ...source, pod: `p${index}` },
                  timed ? `2026-11-24T10:00:00.${String(nanos).padStart(9, '0').replace(/0+$/, '') || '0'}Z x` : 'more',
                ),
              ),
          );
          const merged = inOrder(lines);
          const nanos = merged.filter(({ at }) => at !== '').map(({ at }) => Number(at.slice(20, -1).padEnd(9, '0')));
          expect(nanos).toEqual(nanos.toSorted((a, b) => a - b));
          // no stream loses a line, or its own order
          for (const stream of lines) expect(merged.filter((line) => stream.includes(line))).toEqual(stream);
        },
      ),
    );
  });
});

describe('what else is decided', () => {
  it.each([
    ['argocd.argoproj.io/instance', 'Argo CD'],
    ['kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ])('%s shows that %s keeps it', (label, tool) => {
    const { metadata } = wellOf();
    expect(keeperOf({ metadata: { ...metadata, labels: { [label]: 'x' } } })).toBe(tool);
    expect(keeperOf({ metadata: { ...metadata, managedFields: [{ manager: 'helm' }] } })).toBe('Helm');
    expect(
      keeperOf({ metadata: { ...metadata, managedFields: [{ manager: 'kubectl-client-side-apply' }] } }),
    ).toBeUndefined();
  });

  it.each([
    [undefined, true],
    ['', true],
    ['media,other', true],
    ['other', false],
  ])('an operator with WATCH_NAMESPACES %j looks after media: %j', (value, expected) => {
    const env = value === undefined ? [] : [{ name: 'WATCH_NAMESPACES', value }];
    const deployment = { spec: { selector: {}, template: { spec: { containers: [{ name: 'operator', env }] } } } };
    expect(watches(deployment, 'media')).toBe(expected);
  });

  it('an operator that watches its own namespace looks after that alone', () => {
    const env = [{ name: 'WATCH_NAMESPACES', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }];
    const deployment = {
      metadata: { namespace: 'media' },
      spec: { selector: {}, template: { spec: { containers: [{ name: 'operator', env }] } } },
    };
    expect([watches(deployment, 'media'), watches(deployment, 'others')]).toEqual([true, false]);
  });

  it('a cell holds no character that a terminal obeys', () => {
    expect(oneLine('a\u001b[2Jb\u0007\n c\u009b1m')).toBe('a [2Jb c 1m');
  });

  it('a table is as wide as its widest cells, colours left out', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['\u001b[31mlong\u001b[39m', 'x'],
          ['y', ''],
        ],
      ),
    ).toEqual(['A      B', '\u001b[31mlong\u001b[39m   x', 'y']);
    expect(wrap('one two three', 7, '  ')).toEqual(['  one two', '  three']);
  });
});

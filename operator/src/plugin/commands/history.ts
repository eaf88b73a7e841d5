import { z } from 'zod';
import { KINDS } from '../../kube/kinds.ts';
import { KIND } from '../../resource/klingapi.ts';
import type { RepairRecord } from '../../resource/status.ts';
import { type Listed, listKlingApis, nameOn, readKlingApi } from '../cluster/klingapis.ts';
import type { Kube } from '../cluster/kubeconfig.ts';
import { rightInWords } from '../cluster/refusal.ts';
import { look, type Seen } from '../cluster/seen.ts';
import type { Around, Command } from '../command.ts';
import { EXIT } from '../errors.ts';
import { ALL_NAMESPACES, OUTPUT } from '../options.ts';
import { ago } from '../terminal/duration.ts';
import { formatted } from '../terminal/formats.ts';
import { oneLine, table } from '../terminal/table.ts';

export interface Told {
  namespace: string;
  name: string;
  /** RFC 3339. */
  at: string;
  type: string;
  reason: string;
  count: number;
  note: string;
}

export interface History {
  repairs: readonly (RepairRecord & { namespace: string; name: string })[];
  events: Seen<readonly Told[]>;
}

const eventSchema = z.object({
  type: z.string().default(''),
  reason: z.string().default(''),
  note: z.string().default(''),
  eventTime: z.string().nullish(),
  deprecatedLastTimestamp: z.string().nullish(),
  series: z.object({ count: z.number(), lastObservedTime: z.string() }).nullish(),
  regarding: z.object({ kind: z.string().optional(), namespace: z.string().default(''), name: z.string().default('') }),
});

function toldBy(item: unknown): Told[] {
  const { data } = eventSchema.safeParse(item);
  if (data?.regarding.kind !== KIND) return [];
  const { type, reason, note, series, regarding } = data;
  const at = series?.lastObservedTime ?? data.eventTime ?? data.deprecatedLastTimestamp ?? '';
  return [{ namespace: regarding.namespace, name: regarding.name, at, type, reason, count: series?.count ?? 1, note }];
}

async function eventsAbout(kube: Kube, klingApis: readonly Listed[], everywhere: boolean): Promise<History['events']> {
  const events = await look(() =>
    kube.client.list(KINDS.Event, { namespace: everywhere ? undefined : kube.namespace }),
  );
  if (events.kind !== 'Seen') return events;
  const wanted = new Set(klingApis.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  const told = events.value.items.flatMap(toldBy).filter(({ namespace, name }) => wanted.has(`${namespace}/${name}`));
  return { kind: 'Seen', value: told.sort((a, b) => (a.at < b.at ? 1 : -1)) };
}

const OUTCOMES = { Recovered: 'good', Failed: 'bad', NotNeeded: 'dim' } as const;

export function historyText({ repairs, events }: History, now: number, { paint }: Pick<Around, 'paint'>): string {
  const subject = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
  const lines =
    repairs.length === 0
      ? ['No repair is on record']
      : table(
          ['WHEN', 'KLINGAPI', 'POD', 'DIAGNOSIS', 'ACTION', 'OUTCOME', 'OUT FOR', 'VERIFIED', 'ID'],
          repairs.map((repair) => [
            ago(repair.startedAt, now),
            subject(repair),
            repair.pod,
            repair.diagnosis,
            repair.action,
            repair.outcome === undefined ? paint.warn('under way') : paint[OUTCOMES[repair.outcome]](repair.outcome),
            repair.unavailableSeconds === undefined ? '' : `${repair.unavailableSeconds.toFixed(1)} s`,
            repair.verification?.summary ?? '',
            repair.id,
          ]),
        );
  const more =
    events.kind === 'Refused'
      ? ['', `Events are left out: your account may not ${rightInWords(events.right)}`]
      : events.kind !== 'Seen' || events.value.length === 0
        ? []
        : [
            '',
            ...table(
              ['LAST', 'KLINGAPI', 'TYPE', 'REASON', 'COUNT', 'EVENT'],
              events.value.map((event) => [
                ago(event.at, now),
                subject(event),
                event.type === 'Warning' ? paint.warn(event.type) : event.type,
                event.reason,
                String(event.count),
                oneLine(event.note),
              ]),
            ),
          ];
  return `${[...lines, ...more].join('\n')}\n`;
}

export const history: Command = {
  name: 'history',
  summary: 'List repairs and Events of a KlingApi, of a namespace, or of all with -A',
  arguments: '[NAME]',
  most: 1,
  about: 'A KlingApi keeps its newest 10 repairs; the cluster keeps Events for an hour, as a rule.',
  options: { ...ALL_NAMESPACES, ...OUTPUT },
  examples: [
    'kubectl kling history studio -n media',
    'kubectl kling history -A',
    'kubectl kling history -n media -o json',
  ],
  async run({ options, kube, out, err, paint, now }) {
    const everywhere = options.has('all-namespaces');
    const name = nameOn({ options });
    const klingApis =
      name === undefined
        ? await listKlingApis(kube(), everywhere ? undefined : kube().namespace, err)
        : [await readKlingApi(kube(), name)];
    const repairs = klingApis
      .flatMap(({ metadata, status }) =>
        (status?.repairs ?? []).map((repair) => ({ ...repair, namespace: metadata.namespace, name: metadata.name })),
      )
      .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
    const told: History = { repairs, events: await eventsAbout(kube(), klingApis, everywhere) };
    const format = options.choice('output', ['json', 'yaml']);
    out(
      format === undefined
        ? historyText(told, now(), { paint })
        : formatted(format, { repairs, events: told.events.kind === 'Seen' ? told.events.value : null }),
    );
    return EXIT.ok;
  },
};

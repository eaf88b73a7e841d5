import type { OperatorView, Summary } from '../view.ts';

/** What is known of all of them, as it came last. */
export interface Known {
  operator: OperatorView | undefined;
  /** Absent before the first answer. */
  fleet: ReadonlyMap<string, Summary> | undefined;
  link: 'Live' | 'Lost' | 'TooMany';
}

const AGAIN_MS = 5_000;

/** Follows the stream for as long as the page is open. @param onChange with the uids that something is new of; all without them */
export function followFleet(onChange: (known: Known, uids?: readonly string[]) => void): void {
  let fleet: Map<string, Summary> | undefined;
  let operator: OperatorView | undefined;
  const tell = (link: Known['link'], uids?: readonly string[]) => onChange({ operator, fleet, link }, uids);

  const open = (): void => {
    const source = new EventSource('/events');
    const on = <Data>(name: string, take: (data: Data) => void): void =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => take(JSON.parse(data)));
    on<OperatorView>('operator', (told) => {
      operator = told;
      tell('Live', []);
    });
    on<Summary[]>('fleet', (all) => {
      fleet = new Map(all.map((each) => [each.uid, each]));
      tell('Live');
    });
    on<Summary[]>('changed', (some) => {
      for (const each of some) fleet?.set(each.uid, each);
      tell(
        'Live',
        some.map(({ uid }) => uid),
      );
    });
    on<string[]>('gone', (uids) => {
      for (const uid of uids) fleet?.delete(uid);
      tell('Live', uids);
    });
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return tell('Lost', []);
      // a refusal ends it for good: that of a server with too many streams passes
      source.close();
      tell('TooMany', []);
      setTimeout(open, AGAIN_MS);
    });
  };
  open();
}

/** An independent client: calls all the time and writes down each answer. */
import { setTimeout as pause } from 'node:timers/promises';
import type { HandshakeResult } from '@klingapi/probe';
import { handshake } from '@klingapi/probe';

export interface Sample {
  at: number;
  ok: boolean;
  message: string;
}

export interface Watcher {
  samples: Sample[];
  stop(): Promise<Sample[]>;
}

export interface WatchOptions {
  url: string;
  hostHeader: string;
  key: string;
  everyMs?: number;
  onSample?: (sample: Sample) => void;
}

/** Asks the Service every `everyMs`, each time over a new connection, so that every ready pod gets its share. */
export function watch(options: WatchOptions): Watcher {
  const samples: Sample[] = [];
  let going = true;
  const loop = (async () => {
    while (going) {
      const at = Date.now();
      const result: HandshakeResult = await handshake({
        url: options.url,
        hostHeader: options.hostHeader,
        headers: { authorization: `Bearer ${options.key}` },
        eras: 'Legacy',
        timeoutMs: 2_000,
      });
      const sample = { at, ok: result.verdict === 'Serving', message: result.message };
      samples.push(sample);
      options.onSample?.(sample);
      await pause(options.everyMs ?? 200);
    }
  })();
  return {
    samples,
    async stop() {
      going = false;
      await loop;
      return samples;
    },
  };
}

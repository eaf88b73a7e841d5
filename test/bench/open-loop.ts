import { Pool } from 'undici';

export interface OpenLoop {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the request with this number. */
  body(index: number): string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** More connections than answers can be outstanding, so that no request waits for another. */
const CONNECTIONS = 256;

/**
 * Sends requests at fixed times whatever the replies do (a closed loop would wait with a slow server and hide its
 * slowness). A time is counted from when the request was due.
 *
 * @returns milliseconds of each request, in order of arrival
 * @throws Error when a reply has another status than 200 or 202
 */
export async function sendOpenLoop(load: OpenLoop): Promise<number[]> {
  const pool = new Pool(load.url, { connections: CONNECTIONS, pipelining: 1 });
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const total = load.perSecond * load.seconds;
  const began = performance.now();
  const send = async (index: number, due: number): Promise<void> => {
    const reply = await pool.request({
      method: 'POST',
      path: load.path,
      headers: load.headers,
      body: load.body(index),
    });
    const text = await reply.body.text();
    if (reply.statusCode !== 200 && reply.statusCode !== 202) {
      throw new Error(`${load.path} answered ${reply.statusCode}: ${text.slice(0, 300)}`);
    }
    times.push(performance.now() - due);
  };
  try {
    for (let index = 0; index < total; index += 1) {
      const due = began + (index * 1000) / load.perSecond;
      const early = due - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      pending.push(send(index, due));
    }
    await Promise.all(pending);
    return times;
  } finally {
    await Promise.allSettled(pending);
    await pool.close();
  }
}

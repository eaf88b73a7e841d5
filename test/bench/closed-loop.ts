import autocannon from 'autocannon';

export interface ClosedLoop {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; GET without it. */
  readonly body?: string;
}

export interface Pace {
  readonly perSecond: number;
  /** Milliseconds, whole ones. */
  readonly p99: number;
}

/**
 * As many requests as the server answers, over 16 connections: for so many seconds, or so many of them.
 * @throws Error when a reply was no 2xx or a connection failed
 */
export async function sendClosedLoop(
  { url, headers, body }: ClosedLoop,
  until: { seconds: number } | { requests: number },
): Promise<Pace> {
  const seen = await autocannon({
    url,
    headers: { ...headers },
    ...(body === undefined ? {} : { method: 'POST', body }),
    connections: 16,
    ...('seconds' in until ? { duration: until.seconds } : { amount: until.requests }),
  });
  const { errors, non2xx, requests, latency } = seen;
  if (errors > 0 || non2xx > 0) throw new Error(`${url}: ${errors} errors, ${non2xx} other statuses`);
  return { perSecond: requests.average, p99: latency.p99 };
}

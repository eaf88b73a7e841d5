import autocannon from 'autocannon';

/**
 * As many reads as the server gives, over 16 connections.
 * @returns requests a second
 * @throws Error when a reply was no 2xx or a connection failed
 */
export async function readsPerSecond(url: string, headers: Record<string, string>, seconds: number): Promise<number> {
  const seen = await autocannon({ url, headers, connections: 16, duration: seconds });
  const { errors, non2xx, requests } = seen;
  if (errors > 0 || non2xx > 0) throw new Error(`${url}: ${errors} errors, ${non2xx} other statuses`);
  return requests.average;
}

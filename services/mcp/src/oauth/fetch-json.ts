import { Agent } from 'undici';

/** Metadata and key sets are a few KiB; more is no answer to what was asked. */
const REPLY_LIMIT = 256 * 1024;
const TIMEOUT_MS = 4_000;

export interface JsonFetcher {
  /**
   * One GET, no redirects, no credentials.
   * @returns null for 404, where the thing is not at this address
   * @throws Error in words, without the body
   */
  get(url: URL): Promise<unknown>;
  close(): Promise<void>;
}

/** @param allowHttp also to hosts outside this machine and the cluster */
export function createJsonFetcher({ allowHttp }: { allowHttp: boolean }): JsonFetcher {
  const agent = new Agent({ connections: 2, connectTimeout: TIMEOUT_MS, keepAliveTimeout: 10_000 });
  return {
    async get(url) {
      if (!isAllowedEgress(url, allowHttp)) throw new Error(`${url.origin} is not https`);
      const { statusCode, body } = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: { accept: 'application/json', 'user-agent': 'klingapi-mcp' },
        // The whole exchange: a drip of bytes must not hold up those who wait for the keys.
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (statusCode !== 200) {
        await body.dump();
        if (statusCode === 404) return null;
        throw new Error(`${url.origin} answered HTTP ${statusCode}`);
      }
      let text = '';
      body.setEncoding('utf8');
      for await (const chunk of body) {
        text += String(chunk);
        if (text.length > REPLY_LIMIT) throw new Error(`${url.origin} answered with more than 256 KiB`);
      }
      try {
        return JSON.parse(text);
      } catch {
        throw new Error(`${url.origin} answered with something that is not JSON`);
      }
    },
    close: () => agent.destroy(),
  };
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
/** Services of the cluster, which our own processes speak to in the clear as well. */
const IN_CLUSTER = /\.svc(\.cluster\.local)?$/;

/** Keys that came in the clear would let anyone on the way write tokens. */
export function isAllowedEgress({ protocol, hostname }: URL, allowHttp: boolean): boolean {
  if (protocol !== 'http:') return protocol === 'https:';
  return allowHttp || LOOPBACK.test(hostname) || IN_CLUSTER.test(hostname);
}

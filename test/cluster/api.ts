import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** Just enough of a client for the API server of our own cluster: one request, or the lines of a watch. */
export type ApiClient = {
  /** @returns the body. @throws Error with status and message for anything but 2xx */
  request(method: string, path: string, body?: string, contentType?: string): Promise<string>;
  lines(path: string): AsyncIterable<string>;
};

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.url(), 'certificate-authority-data': z.base64() }) })]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.base64(), 'client-key-data': z.base64() }) }),
  ]),
});

/** @param file a kubeconfig as kubeconfigs.ts writes it: JSON, certificates inside */
export function apiClient(file: string): ApiClient {
  const { clusters, users } = kubeconfigSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0].user;
  const agent = new Agent({ ca: decode(ca), cert: decode(cert), key: decode(key), keepAlive: true });

  function send(method: string, path: string, body: string | undefined, contentType: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) };
      const request = httpsRequest(new URL(path, server), { method, agent, headers }, resolve);
      request.on('error', reject);
      request.setTimeout(330_000, () => request.destroy(new Error('no answer for 330 s')));
      request.end(body);
    });
  }

  async function checked(method: string, path: string, body?: string, contentType = 'application/json') {
    const response = await send(method, path, body, contentType);
    if (response.statusCode !== undefined && response.statusCode < 300) return response;
    throw new Error(`${method} ${path} answered ${response.statusCode}: ${(await text(response)).slice(0, 500)}`);
  }

  return {
    request: async (method, path, body, contentType) => text(await checked(method, path, body, contentType)),
    async *lines(path) {
      const response = await checked('GET', path);
      try {
        yield* createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY });
      } finally {
        response.destroy();
      }
    },
  };
}

const decode = (base64: string) => Buffer.from(base64, 'base64');

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

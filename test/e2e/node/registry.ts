/** As much of a container registry as a push needs, in memory, on loopback. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';

export interface Registry {
  /** host:port */
  readonly host: string;
  /** A manifest by `name:tag` or `name@digest`, as JSON. */
  manifest(reference: string): unknown;
  /** A blob by its digest. */
  blob(digest: string): Buffer | undefined;
  close(): Promise<void>;
}

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** Source: OCI distribution specification 1.1, the endpoints of a push. */
export async function startRegistry(): Promise<Registry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { type: string; content: Buffer }>();
  const uploads = new Map<string, Buffer[]>();

  async function answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers?: Record<string, string>; body?: Buffer }> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    const method = request.method ?? '';
    if (pathname === '/v2/') return { status: 200 };
    const [, name = '', kind = '', rest = ''] = /^\/v2\/(.+)\/(blobs|manifests)\/(.+?)\/?$/.exec(pathname) ?? [];
    const body = await buffer(request);
    if (kind === 'blobs' && rest.startsWith('uploads')) {
      const id = rest.split('/')[1] ?? String(uploads.size + 1);
      const parts = uploads.get(id) ?? [];
      uploads.set(id, [...parts, body]);
      if (method === 'PUT') {
        const content = Buffer.concat([...parts, body]);
        const digest = digestOf(content);
        if (digest !== searchParams.get('digest')) return { status: 400 };
        uploads.delete(id);
        blobs.set(digest, content);
        return { status: 201, headers: { 'Docker-Content-Digest': digest, Location: `/v2/${name}/blobs/${digest}` } };
      }
      const size = [...parts, body].reduce((sum, part) => sum + part.length, 0);
      const headers = { Location: `/v2/${name}/blobs/uploads/${id}`, Range: `0-${Math.max(0, size - 1)}` };
      return { status: 202, headers };
    }
    if (kind === 'manifests' && method === 'PUT') {
      const digest = digestOf(body);
      const entry = { type: request.headers['content-type'] ?? '', content: body };
      manifests.set(`${name}:${rest}`, entry).set(`${name}@${digest}`, entry);
      return { status: 201, headers: { 'Docker-Content-Digest': digest } };
    }
    const manifest = manifests.get(`${name}${rest.startsWith('sha256:') ? '@' : ':'}${rest}`);
    const found = kind === 'blobs' ? blobs.get(rest) : manifest?.content;
    if (found === undefined) return { status: 404 };
    const type = kind === 'blobs' ? 'application/octet-stream' : (manifest?.type ?? '');
    const headers = {
      'Content-Type': type,
      'Content-Length': String(found.length),
      'Docker-Content-Digest': digestOf(found),
    };
    return method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body: found };
  }

  const server = createServer((request, response) => {
    void answer(request).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    host: `127.0.0.1:${port}`,
    manifest(reference) {
      const found = manifests.get(reference);
      return found === undefined ? undefined : (JSON.parse(found.content.toString()) as unknown);
    },
    blob: (digest) => blobs.get(digest),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

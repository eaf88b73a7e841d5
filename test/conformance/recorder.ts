import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Recorded {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Recorder {
  /** What was posted, in order. */
  readonly requests: readonly Recorded[];
  close(): void;
}

/** Stands before a server, lets everything through, and keeps what was posted. */
export async function startRecorder(port: number, target: string): Promise<Recorder> {
  const requests: Recorded[] = [];
  const server = createServer(async (asked, answer) => {
    const { method, headers, url = '' } = asked;
    const body = await text(asked);
    if (method === 'POST') requests.push({ headers, body });
    const passed = request(new URL(url, target), { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    passed.end(body);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** @returns status, headers but for those of the connection, and body */
export async function replay({ headers, body }: Recorded, url: string) {
  const sent = request(url, { method: 'POST', headers });
  const replied = once(sent, 'response');
  sent.end(body);
  const [reply] = await replied;
  const { date, connection, 'keep-alive': _, 'content-length': __, 'transfer-encoding': ___, ...kept } = reply.headers;
  return { status: reply.statusCode, headers: kept, body: await text(reply) };
}

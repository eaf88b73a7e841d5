import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, globalAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KlingAPI } from 'kling-api';
import { expect, it, onTestFinished } from 'vitest';
import { run } from '../cluster/command.ts';
import { startTarget } from '../fuzz/target.ts';

/** A published client of Kling, unchanged but for its base address. It takes https alone and signs with two keys. */
it('kling-api of npm makes a video and a picture through our service', async () => {
  const target = await startTarget({ auth: 'none' });
  onTestFinished(() => target.close());
  const client = new KlingAPI({
    accessKey: 'an-access-key-of-some-length',
    secretKey: 'a-secret-key-of-some-length-too-for-hs256',
    baseUrl: await startTls(Number(new URL(target.url).port)),
  });

  const video = await client.textToVideo({
    prompt: 'a fox runs',
    model_name: 'kling-v2-5-turbo',
    duration: '5',
    mode: 'std',
  });
  expect(video).toMatchObject({ code: 0, data: { task_id: expect.any(String) } });
  const made = await client.waitForVideoResult(video.data.task_id, undefined, { interval: 200 });
  expect(made.data).toMatchObject({ task_status: 'succeed', task_result: { videos: [{ url: expect.any(String) }] } });

  const picture = await client.generateImage({ prompt: 'a fox', model_name: 'kling-v2-1' });
  const drawn = await client.waitForImageResult(picture.data.task_id, undefined, { interval: 200 });
  expect(drawn.data).toMatchObject({ task_status: 'succeed', task_result: { images: [{ url: expect.any(String) }] } });
  expect(await target.charged()).toBe(2);
});

/** What an Ingress does in production. @returns its address */
async function startTls(port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
  ]);
  const ca = await readFile(cert);
  const server = createServer({ key: await readFile(key), cert: ca }, (incoming, reply) => {
    const { method, url, headers } = incoming;
    incoming.pipe(
      request({ host: '127.0.0.1', port, path: url, method, headers }, (answer) => {
        reply.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(reply);
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const before = globalAgent.options.ca;
  globalAgent.options.ca = ca;
  onTestFinished(() => {
    globalAgent.options.ca = before;
  });
  const address = server.address();
  return `https://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

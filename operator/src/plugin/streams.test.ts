/** Logs that go on, connections that nobody answers, and the end of the process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../kube/testing/scripted-server.ts';
import { openForward } from './cluster/forward.ts';
import { openKube } from './cluster/kubeconfig.ts';
import { Options, SHARED } from './options.ts';
import { podOf, wellOf } from './testing.ts';
import { type Desk, KLINGAPIS, listOf, openDesk, soon } from './typed.testing.ts';

const studio = wellOf();
const PODS = '/api/v1/namespaces/media/pods';
const mcp = podOf('mcp', 'a');
const pod = { ...mcp, metadata: { ...mcp.metadata, namespace: 'media' } };

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk({
    [`GET ${KLINGAPIS}/studio`]: studio,
    [`GET ${PODS}`]: (exchange) =>
      exchange.reply(200, listOf(...(exchange.query.get('labelSelector')?.includes('=mcp') === true ? [pod] : []))),
  });
});
afterEach(() => desk.close());

describe('logs -f', () => {
  const OLD = '2026-11-24T10:00:00.5Z old\n';
  const NEW = '2026-11-24T10:00:01.5Z new\n';

  /** As the kubelet gives it: everything, unless it is asked for less. */
  const log =
    (followed: ReturnType<Exchange['stream']>[]) =>
    (exchange: Exchange): void => {
      const { query } = exchange;
      const stream = exchange.stream();
      const after = query.get('sinceTime');
      const all = query.get('tailLines') === null && query.get('sinceSeconds') === null;
      if (all || after !== null) stream.raw(OLD);
      if (query.get('follow') === 'true') followed.push(stream);
      else stream.end();
    };

  const begin = async (...more: string[]) => {
    const followed: ReturnType<Exchange['stream']>[] = [];
    desk.answer({ [`GET ${PODS}/studio-mcp-a/log`]: log(followed) });
    const ended = new AbortController();
    const said = { out: '' };
    const saying = desk.typed(['logs', 'studio', '-c', 'mcp', '-f', ...more], {
      signal: ended.signal,
      out: (text) => {
        said.out += text;
      },
    });
    await soon(() => followed.length > 0);
    followed[0]?.raw(NEW);
    await soon(() => said.out.includes('new'));
    const end = () => {
      ended.abort();
      return saying;
    };
    return { followed, said, end };
  };
  const asked = () => desk.exchanges.findLast(({ query }) => query.get('follow') === 'true');

  it.each([
    [[], 'old', 'new'],
    [['--tail', '0'], 'new'],
    [['--since', '1s'], 'new'],
  ])('with %j prints what was asked for and what is new, once, and ends with 130', async (more, ...lines) => {
    const { followed, said, end } = await begin(...more);
    const { code, err } = await end();
    expect(said.out).toBe(lines.map((line) => `[studio-mcp-a] ${line}\n`).join(''));
    expect([code, err]).toEqual([130, '']);
    await soon(() => followed[0]?.closed() === true);
  });

  it('goes on behind the last line when the connection breaks, and says that it did', async () => {
    const { followed, end } = await begin('--tail', '0');
    asked()?.reset();
    await soon(() => followed.length > 1);
    expect(asked()?.query.get('sinceTime')).toBe('2026-11-24T10:00:01.5Z');
    const { code, err } = await end();
    expect(err).toMatch(/^studio-mcp-a: /);
    expect(code).toBe(130);
  });
});

describe('a port-forward', () => {
  it('that the API server never opens ends when its time is over, and says so', async () => {
    desk.answer({ [`GET ${PODS}/studio-mcp-a/portforward`]: () => {} });
    const options = new Options(SHARED, { kubeconfig: join(desk.folder, 'config'), 'request-timeout': '200ms' }, []);
    const kube = openKube(options, { env: {}, signal: new AbortController().signal });
    const forward = await openForward(kube, { namespace: 'media', pod: 'studio-mcp-a', port: 5510 });
    const socket = connect(forward.port, '127.0.0.1').on('error', () => {});
    await soon(() => desk.asked.some((line) => line.endsWith('/portforward')));
    // whoever asks before that learns that it is not the pod that is silent
    expect(forward.failure()).toMatchObject({ message: expect.stringContaining('has not answered yet') });
    await once(socket, 'close');
    expect(forward.failure()).toMatchObject({ message: expect.stringContaining('no answer within 0.2 s') });
    await forward.close();
    await kube.client.close();
  });
});

describe('the process', () => {
  const program = (...argv: string[]) =>
    spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...argv], {
      env: { ...process.env, KUBECONFIG: join(desk.folder, 'config') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('ends after one SIGTERM, although a connection is open that nobody answers', async () => {
    desk.answer({
      [`GET ${PODS}/studio-mcp-a/portforward`]: () => {},
      'GET /version': { gitVersion: 'v1.34.4', major: '1', minor: '34' },
    });
    const child = program('doctor', 'studio', '-n', 'media');
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    await soon(() => desk.asked.some((line) => line.endsWith('/portforward')));
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect([code, ...(await said)]).toEqual([130, '', '']);
  });

  it('prints all of a long text before it ends', async () => {
    desk.answer({
      'GET /apis/klingapi.dev/v1alpha1/klingapis': listOf(...Array.from({ length: 2_000 }, () => studio)),
    });
    const child = program('status', '-A', '-o', 'json');
    const [out, code] = await Promise.all([text(child.stdout), once(child, 'close').then(([ended]) => ended)]);
    expect(JSON.parse(out).items).toHaveLength(2_000);
    expect(code).toBe(0);
  });
});

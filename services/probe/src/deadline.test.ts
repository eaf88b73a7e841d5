import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { handshake } from './handshake.ts';
import { INITIALIZED } from './scripted-server.ts';

/** In a process of its own, so that it answers while this one stands still. */
const SERVER = `
  require('node:http').createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(process.argv[1]);
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
`;

it('does not call a server hung because the observer itself stood still', async () => {
  const child = spawn(process.execPath, ['-e', SERVER, JSON.stringify(INITIALIZED)]);
  try {
    const [line] = await once(child.stdout, 'data');
    const running = handshake({ url: `http://127.0.0.1:${Number(String(line))}/mcp/v1`, timeoutMs: 200 });
    const until = performance.now() + 600;
    while (performance.now() < until);
    expect((await running).verdict).toBe('Serving');
  } finally {
    child.kill();
  }
});

/**
 * Test only: breaks the MCP service from outside. Loaded by `node --import` before
 * the unchanged bundle, it patches `http.createServer` so that requests for the
 * MCP path are answered as the fault says. The management port has no such path,
 * so `/livez` stays green.
 *
 * The fault is the content of the file /tmp/fault (or FAULT_FILE), which may come and go, or
 * else the variable FAULT; README.md lists them. With FAULT_AFTER_SERVING_SECONDS the
 * variable takes effect so many seconds after the first MCP request was served.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const PATH = process.env.MCP_PATH ?? '/mcp/v1';
const FILE = process.env.FAULT_FILE ?? '/tmp/fault';
const DELAY_SECONDS = Number(process.env.FAULT_AFTER_SERVING_SECONDS ?? 'NaN');
const TASK_GROUP = 'RuntimeError: Task group is not initialized. Make sure to use run().';

let servingSince = null;

function fault() {
  try {
    const text = readFileSync(FILE, 'utf8').trim();
    if (text !== '') return text;
  } catch {
    // no file, no fault from it
  }
  const wanted = process.env.FAULT ?? '';
  if (wanted === '' || Number.isNaN(DELAY_SECONDS)) return wanted;
  servingSince ??= Date.now();
  return Date.now() - servingSince >= DELAY_SECONDS * 1000 ? wanted : '';
}

const answers = {
  'session-manager': (response) => {
    process.stderr.write(`${TASK_GROUP}\n`);
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(TASK_GROUP);
  },
  500: (response) => {
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('Internal Server Error');
  },
  garbage: (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"hello":');
  },
  empty: (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
  },
  401: (response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer', 'content-type': 'text/plain' }).end('who are you?');
  },
  'legacy-only': (response) => {
    const error = { code: -32600, message: 'Bad Request: no session' };
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
  },
  'never-ending': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': still here\n\n');
    const timer = setInterval(() => response.write(': still here\n\n'), 100);
    response.on('close', () => clearInterval(timer));
  },
};

/** Faults whose reply repeats something of the request. */
const replies = {
  'wrong-id': () => ({ jsonrpc: '2.0', id: 'another', result: {} }),
  version: ({ id }) => ({
    jsonrpc: '2.0',
    id,
    result: { protocolVersion: '1999-12-31', capabilities: {}, serverInfo: { name: 'old', version: '1' } },
  }),
};

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** @returns whether the request was answered here */
function interfere(request, response, pass) {
  if ((request.url ?? '').split('?')[0].replace(/\/$/, '') !== PATH) return false;
  const wanted = fault();
  if (wanted === '') return false;
  if (wanted === 'crash') process.exit(1);
  if (wanted === 'memory') eat();
  if (wanted.startsWith('slow:')) {
    setTimeout(pass, Number(wanted.slice('slow:'.length)));
    return true;
  }
  if (wanted === 'legacy-only' && request.headers['mcp-method'] === undefined) return false;
  const reply = replies[wanted];
  if (reply !== undefined) {
    void readBody(request).then((body) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply(JSON.parse(body))));
    });
    return true;
  }
  const answer = answers[wanted];
  if (answer === undefined) {
    process.stderr.write(`unknown fault ${JSON.stringify(wanted)}\n`);
    return false;
  }
  request.resume();
  answer(response);
  return true;
}

/** Takes memory until the container has used up its own. */
function eat() {
  const eaten = [];
  for (;;) eaten.push(Buffer.alloc(16 * 1024 * 1024, 1));
}

/** The traffic port closes while the process lives. */
function refuse(server) {
  const timer = setInterval(() => {
    if (fault() !== 'refuse' || !server.listening || String(server.address()?.port) !== process.env.PORT) return;
    clearInterval(timer);
    server.closeAllConnections();
    server.close();
  }, 100);
  timer.unref();
}

const original = http.createServer;

function createServer(...given) {
  const server = original.apply(http, given);
  const emit = server.emit;
  server.emit = function patched(event, ...values) {
    const pass = () => emit.call(this, event, ...values);
    if (event === 'request' && interfere(values[0], values[1], pass)) return true;
    return pass();
  };
  refuse(server);
  return server;
}

http.createServer = createServer;
// Makes `import { createServer } from 'node:http'` see the patch as well.
syncBuiltinESMExports();

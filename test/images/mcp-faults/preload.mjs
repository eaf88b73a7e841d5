/**
 * Test only: breaks the MCP service from outside. Loaded by `node --import` before
 * the unchanged bundle, it patches `http.createServer` so that requests for the
 * MCP path are answered as the fault says. The management port has no such path,
 * so `/livez` stays green.
 *
 * The fault is the content of the file /tmp/fault (or FAULT_FILE), which may come and go, or
 * else the variable FAULT: `session-manager`, `500`, `garbage`, `empty`,
 * `never-ending`, `crash`. With FAULT_AFTER_SERVING_SECONDS the variable takes
 * effect so many seconds after the first MCP request was served.
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
  'never-ending': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': still here\n\n');
    const timer = setInterval(() => response.write(': still here\n\n'), 100);
    response.on('close', () => clearInterval(timer));
  },
};

/** @returns whether the request was answered here */
function interfere(request, response) {
  if ((request.url ?? '').split('?')[0].replace(/\/$/, '') !== PATH) return false;
  const wanted = fault();
  if (wanted === '') return false;
  if (wanted === 'crash') process.exit(1);
  const answer = answers[wanted];
  if (answer === undefined) {
    process.stderr.write(`unknown fault ${JSON.stringify(wanted)}\n`);
    return false;
  }
  request.resume();
  answer(response);
  return true;
}

const original = http.createServer;

function createServer(...given) {
  const server = original.apply(http, given);
  const emit = server.emit;
  server.emit = function patched(event, ...values) {
    if (event === 'request' && interfere(values[0], values[1])) return true;
    return emit.call(this, event, ...values);
  };
  return server;
}

http.createServer = createServer;
// Makes `import { createServer } from 'node:http'` see the patch as well.
syncBuiltinESMExports();

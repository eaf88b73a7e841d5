/** The peer of lists: Fastify with one route that gives the bytes from `REPLY`, and nothing else. */
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';

const reply = readFileSync(process.env['REPLY'] ?? '', 'utf8');
const app = Fastify();
app.post('/mcp/v1', (_request, answer) => answer.type('application/json').send(reply));
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
if (address === null || typeof address === 'string') throw new Error('no TCP port');
console.log(JSON.stringify({ port: address.port }));

/** The peer of reads: Fastify with one route that gives the task from `REPLY`, and nothing else. */
import Fastify from 'fastify';

const reply: unknown = JSON.parse(process.env['REPLY'] ?? '{}');
const app = Fastify();
app.get('/api/tasks/:id', async () => reply);
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
if (address === null || typeof address === 'string') throw new Error('no TCP port');
console.log(JSON.stringify({ port: address.port }));

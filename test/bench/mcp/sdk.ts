/** The peer: SDK v2 as its documentation shows it, in Fastify, with the tools from TOOLS, whose schemas are made once. */
import { readFileSync } from 'node:fs';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isCallToolResult, McpServer } from '@modelcontextprotocol/server';
import Fastify from 'fastify';
import { z } from 'zod';

const toolsSchema = z.array(
  z.looseObject({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    inputSchema: z.record(z.string(), z.unknown()),
    outputSchema: z.record(z.string(), z.unknown()),
  }),
);
const read = (name: string): unknown => JSON.parse(readFileSync(process.env[name] ?? '', 'utf8'));
const result = read('RESULT');
if (!isCallToolResult(result)) throw new Error('RESULT holds no result of a tool');
const tools = toolsSchema.parse(read('TOOLS')).map(({ inputSchema, outputSchema, ...tool }) => ({
  ...tool,
  inputSchema: z.fromJSONSchema(inputSchema),
  outputSchema: z.fromJSONSchema(outputSchema),
}));
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'peer', version: '1.0.0' });
  for (const { name, ...tool } of tools) server.registerTool(name, tool, async () => result);
  return server;
});
const serve = toNodeHandler(handler);
const app = Fastify();
app.post('/mcp/v1', (request, reply) => {
  reply.hijack();
  const { method = 'POST', url = '', headers } = request.raw;
  return serve({ method, url, headers, async *[Symbol.asyncIterator]() {} }, reply.raw, request.body);
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
if (address === null || typeof address === 'string') throw new Error('no TCP port');
console.log(JSON.stringify({ port: address.port }));

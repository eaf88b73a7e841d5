/** What is promised of every tool, read from the wire over all of them. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type FakeApi, startFakeApi } from '../fake-api.ts';
import { type Mcp, TOOL_NAMES } from '../index.ts';
import { startForTest } from '../start-for-test.ts';
import { COSTS_MONEY } from './cost.ts';

vi.setConfig({ testTimeout: 30_000 });

const propertySchema = z.looseObject({
  description: z.string().optional(),
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  examples: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
});
type Property = z.infer<typeof propertySchema>;
const inputSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), propertySchema),
  required: z.array(z.string()).default([]),
  additionalProperties: z.literal(false),
});
const toolSchema = z.looseObject({
  name: z.string(),
  title: z.string().min(5).max(60),
  description: z.string().min(40).max(400),
  annotations: z.strictObject({
    readOnlyHint: z.boolean(),
    destructiveHint: z.literal(false),
    idempotentHint: z.boolean(),
    openWorldHint: z.boolean(),
  }),
  _meta: z.strictObject({ [COSTS_MONEY]: z.boolean() }),
  inputSchema,
  outputSchema: z.looseObject({ type: z.literal('object'), required: z.array(z.string()).min(1) }),
});
type Tool = z.infer<typeof toolSchema>;
interface Called {
  isError?: boolean;
  content: { type: string; text?: string; uri?: string; name?: string; mimeType?: string }[];
}

/** Beside what is required, where one of several is. */
const CHOICES: Readonly<Record<string, object>> = {
  create_expanded_image_tool: { left: 0.5 },
  create_talking_video_tool: { image: 'https://example.com/a.png', audio: 'https://example.com/a.mp3' },
  create_sound_tool: { prompt: 'rain' },
  estimate_cost_tool: { tool: 'create_text_to_image_tool', arguments: { prompt: 'a cat' } },
};
/** Names and ids that nobody but the service itself makes up. */
const OPAQUE = new Set(['cursor', 'since']);

const closing: (() => Promise<unknown>)[] = [];
let api: FakeApi;
let mcp: Mcp;
let client: Client;
let tools: Tool[];
beforeAll(async () => {
  api = await startFakeApi();
  closing.push(api.close);
  mcp = await startForTest({ apiUrl: api.url });
  closing.push(mcp.close);
  client = await connect(mcp.url);
  const listed = await client.listTools();
  tools = z.array(toolSchema).parse(listed.tools);
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function connect(url: string): Promise<Client> {
  const made = new Client({ name: 'tools', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await made.connect(new StreamableHTTPClientTransport(new URL(url)));
  closing.push(() => made.close());
  return made;
}
const toolOf = (name: string) => tools.find((tool) => tool.name === name) ?? expect.fail(`there is no ${name}`);
/** The least that a tool takes, of its own examples. */
function leastOf({ name, inputSchema: { required, properties } }: Tool): Record<string, unknown> {
  const exampleOf = (schema: Property | undefined): unknown =>
    schema?.type === 'array'
      ? [exampleOf(propertySchema.parse(schema['items']))]
      : (schema?.examples?.[0] ?? schema?.enum?.[0]);
  const least = required.map((field) => [field, exampleOf(properties[field])]);
  return { ...Object.fromEntries(least), ...CHOICES[name] };
}
const call = async (on: Client, name: string, args: Record<string, unknown>) =>
  (await on.callTool({ name, arguments: args })) as Called;
const textOf = ({ content }: Called) => content.map(({ text }) => text ?? '').join('\n');

describe.each(TOOL_NAMES)('%s', (name) => {
  it('says what it does, what it costs, and names no tool that is not there', () => {
    const { description, annotations, _meta } = toolOf(name);
    expect(description).toMatch(/\.$/);
    for (const [other] of description.matchAll(/\w+_tool\b/g)) expect(TOOL_NAMES).toContain(other);
    const makes = name.startsWith('create_');
    expect(annotations).toMatchObject({ readOnlyHint: !makes, idempotentHint: !makes });
    expect(_meta[COSTS_MONEY]).toBe(description.includes('Costs money.'));
    // elements are free
    expect(_meta[COSTS_MONEY]).toBe(makes && name !== 'create_element_tool');
  });

  it('explains each argument, and shows what is written freely by examples that it would take', () => {
    const { properties } = toolOf(name).inputSchema;
    const ajv = new AjvJsonSchemaValidator();
    for (const [field, schema] of Object.entries(properties)) {
      expect([field, schema.description ?? '']).toEqual([field, expect.stringMatching(/\w{2,}/)]);
      const entries = schema.type === 'array' ? propertySchema.parse(schema['items']) : schema;
      const whole: Record<string, unknown> = entries;
      const free = entries.type === 'string' && entries.enum === undefined && !OPAQUE.has(field);
      expect([field, (entries.examples?.length ?? 0) > 0]).toEqual([field, free]);
      for (const example of [
        ...(entries.examples ?? []),
        ...(entries.default === undefined ? [] : [entries.default]),
      ]) {
        expect([field, example, ajv.getValidator(whole)(example).valid]).toEqual([field, example, true]);
      }
    }
  });

  it('promises fields and forbids none', () => {
    expect(JSON.stringify(toolOf(name).outputSchema)).not.toContain('"additionalProperties":false');
  });

  it('refuses an argument that it does not have, by its name', async () => {
    const before = api.received.length;
    const refused = await call(client, name, { ...leastOf(toolOf(name)), made_up: 1 });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('made_up');
    expect(api.received.length).toBe(before);
  });

  it('says what to do while the API service is away', async () => {
    const lonely = await startForTest({ apiUrl: 'http://127.0.0.1:1' });
    closing.push(lonely.close);
    const result = await call(await connect(lonely.url), name, leastOf(toolOf(name)));
    // It has a catalogue of its own.
    if (name === 'list_models_tool') return expect(textOf(result)).toContain('text-to-image: kling-v3');
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('Nothing was changed. Try again in 10 seconds.');
  });
});

it('lists all of them', () => {
  expect(tools.map(({ name }) => name)).toEqual([...TOOL_NAMES]);
});

describe('links', () => {
  const linksOf = ({ content }: Called) =>
    content.filter(({ type }) => type === 'resource_link').map(({ uri, name, mimeType }) => ({ uri, name, mimeType }));
  /** A call as a client of the older era makes it. */
  async function legacyCall(name: string, args: object, version: string | undefined): Promise<Called> {
    const reply = await fetch(mcp.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(version === undefined ? {} : { 'mcp-protocol-version': version }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
    });
    const text = await reply.text();
    return JSON.parse(/^data: (\{.*\})$/m.exec(text)?.[1] ?? text).result;
  }

  it.each(['create_text_to_image_tool', 'create_text_to_video_tool'])(
    'lead from what %s made to the task, and to its files when it has ended',
    async (name) => {
      const made = await call(client, name, { prompt: 'a cat' });
      const [task, ...none] = linksOf(made);
      expect(none).toEqual([]);
      expect(task).toMatchObject({ uri: expect.stringMatching(/^kling:\/\/tasks\/./), mimeType: 'application/json' });
      const id = (task?.uri ?? '').replace('kling://tasks/', '');
      api.finish(id);
      const { contents } = await client.readResource({ uri: task?.uri ?? '' });
      expect(JSON.stringify(contents)).toContain('succeeded');
      const kind = id.replace(/-\d+$/, '');
      const file = { uri: 'https://cdn.example/0.png', name: `${kind} 1`, mimeType: 'image/png' };
      for (const reader of ['get_task_result_tool', 'get_single_task_tool', 'wait_for_task_completion_tool']) {
        const told = await call(client, reader, { task_id: id });
        expect(linksOf(told)).toEqual([task, file]);
        expect(told.content.some(({ type }) => type === 'image')).toBe(kind === 'text-to-image');
        for (const version of ['2025-06-18', '2025-11-25']) {
          expect(linksOf(await legacyCall(reader, { task_id: id }, version))).toEqual([task, file]);
        }
        // Older ones have no such content, and need not say which they are.
        for (const version of [undefined, '2024-11-05', '2025-03-26']) {
          const { content } = await legacyCall(reader, { task_id: id }, version);
          expect(content.map(({ type }) => type)).toEqual(kind === 'text-to-image' ? ['text', 'image'] : ['text']);
        }
      }
      const state = await call(client, 'get_task_status_tool', { task_id: id });
      expect(state.content.map(({ type }) => type)).toEqual(['text']);
    },
  );
});

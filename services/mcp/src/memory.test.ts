import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemory, type MemoryOptions } from './memory.ts';

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

/** A memory over an SDK that counts how often it is asked. */
function start(options: Partial<MemoryOptions<string>> = {}) {
  const asked: object[] = [];
  let clock = 0;
  const memory = createMemory({
    async ask(_headers, message) {
      asked.push(message);
      return Response.json({
        result: { tools: asked.length },
        jsonrpc: '2.0',
        ...('id' in message ? { id: message.id } : {}),
      });
    },
    methods: new Set(['tools/list', 'prompts/list']),
    read: (_headers, text, id) => (text.includes(id) ? text.replace(id, 'ID') : null),
    now: () => clock,
    freshMs: 1_000,
    entries: 3,
    longest: 300,
    ...options,
  });
  const ask = async (message: unknown, headers = {}) => await memory.recall(headers, message);
  return { memory, asked, ask, wait: (ms: number) => (clock += ms) };
}

const answer = (tools: number) => `{"result":{"tools":${tools}},"jsonrpc":"2.0","id":ID}`;

describe('what the SDK has answered', () => {
  it('is given again, whatever the id is', async () => {
    const { ask, asked } = start();
    for (const id of [1, 'a', 2 ** 40, '"']) expect(await ask({ ...LIST, id })).toBe(answer(1));
    expect(asked).toHaveLength(1);
  });

  it('is asked for once by all who ask at the same time', async () => {
    const { ask, asked } = start();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => ask({ ...LIST, id })));
    expect(new Set(answers)).toEqual(new Set([answer(1)]));
    expect(asked).toHaveLength(1);
  });

  it('is asked for again after its time', async () => {
    const { ask, wait } = start();
    await ask(LIST);
    wait(999);
    expect(await ask(LIST)).toBe(answer(1));
    wait(1);
    expect(await ask(LIST)).toBe(answer(2));
  });

  it('is forgotten when something has changed, also what is being asked at that time', async () => {
    const { ask, memory } = start();
    const early = ask(LIST);
    memory.forget();
    const late = ask({ ...LIST, id: 2 });
    expect([await early, await late]).toEqual([answer(1), answer(2)]);
    expect(await ask(LIST)).toBe(answer(2));
  });

  it('is kept for a number of requests, the oldest being dropped', async () => {
    const { ask, asked } = start();
    for (const cursor of ['a', 'b', 'c', 'd']) await ask({ ...LIST, params: { cursor } });
    expect(asked).toHaveLength(4);
    expect(await ask({ ...LIST, params: { cursor: 'd' } })).toBe(answer(4));
    expect(await ask({ ...LIST, params: { cursor: 'a' } })).toBe(answer(5));
  });

  it('is the answer to that request alone: headers that the SDK reads and all of the message count', async () => {
    const { ask, asked } = start({ entries: 100 });
    await ask(LIST);
    await ask({ ...LIST, params: {} });
    await ask({ ...LIST, method: 'prompts/list' });
    await ask({ ...LIST, extra: true });
    const read = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id'];
    for (const name of read) for (const value of ['x', '']) await ask(LIST, { [name]: value });
    expect(asked).toHaveLength(16);
    await ask(LIST, { 'user-agent': 'x' });
    expect(asked).toHaveLength(16);
  });

  it('is never asked for here when the answer may differ, or the id may not come back as it is', async () => {
    const { ask, asked } = start();
    const never = [
      { ...LIST, method: 'tools/call' },
      { ...LIST, method: 'resources/read' },
      { ...LIST, method: 'constructor' },
      { ...LIST, id: 1.5 },
      { ...LIST, id: null },
      { ...LIST, id: 2 ** 60 },
      { jsonrpc: '2.0', method: 'tools/list' },
      { ...LIST, params: { cursor: 'x'.repeat(300) } },
      [LIST],
      'tools/list',
      null,
    ];
    for (const message of never) expect(await ask(message)).toBeNull();
    expect(asked).toEqual([]);
  });

  it('is left to the SDK when that fails or refuses, or the answer cannot be given again', async () => {
    const replies: ((id: unknown) => Response)[] = [
      () => {
        throw new Error('closed');
      },
      (id) => Response.json({ id }, { status: 400 }),
      () => Response.json({ id: null }),
    ];
    for (const reply of replies) {
      const { ask } = start({ ask: async (_headers, message) => reply(Object(message).id) });
      expect(await ask(LIST)).toBeNull();
    }
  });

  it('is left to the SDK when that takes long, and asked for again by the next', async () => {
    let stuck = true;
    const { ask } = start({
      freshMs: 20,
      ask: (_headers, message) =>
        stuck ? new Promise<Response>(() => {}) : Promise.resolve(Response.json({ id: Object(message).id })),
    });
    expect(await ask(LIST)).toBeNull();
    stuck = false;
    expect(await ask(LIST)).toBe('{"id":ID}');
  });

  it('is never remembered with what is another in each request, nor of what nobody can write again', async () => {
    const { ask, asked } = start({ longest: 1_000_000 });
    for (const name of ['progressToken', 'traceparent', 'tracestate', 'baggage']) {
      expect(await ask({ ...LIST, params: { _meta: { [name]: 'a' } } })).toBeNull();
    }
    expect(await ask({ ...LIST, params: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) })).toBeNull();
    expect(asked).toEqual([]);
  });

  it('never grows beyond its bound and never tells of another request', async () => {
    const request = fc.record({ cursor: fc.string({ maxLength: 3 }), wait: fc.integer({ min: 0, max: 700 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
        const { ask, wait } = start({
          ask: async (_headers, message) =>
            Response.json({ of: Object(message).params.cursor, id: Object(message).id }),
        });
        for (const { cursor, wait: ms } of requests) {
          wait(ms);
          expect(await ask({ ...LIST, params: { cursor } })).toBe(`{"of":${JSON.stringify(cursor)},"id":ID}`);
        }
      }),
    );
  });
});

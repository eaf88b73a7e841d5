import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi } from '@klingapi/api';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  createTaskSessionFromClient,
  type RawClientDispatch,
  resultFromTaskOutcome,
} from '@modelcontextprotocol/ext-tasks/client';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { INTERNAL_KEY } from './fake-api.ts';
import { startForTest } from './start-for-test.ts';
import { PICTURE_COUNT } from './tools/pictures.ts';

const cleanups: (() => Promise<unknown>)[] = [];
const registry = createRegistry('api');
let client: Client;
let url: string;

beforeAll(async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.2 });
  cleanups.push(sandbox.close);
  const dataDir = await mkdtemp(join(tmpdir(), 'stack-'));
  cleanups.push(() => rm(dataDir, { recursive: true }));
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    storage: { dataDir },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'any' } },
    authentication: { auth: 'none', internalKey: INTERNAL_KEY },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry,
  });
  cleanups.push(api.close);
  const mcp = await startForTest({ apiUrl: api.url });
  cleanups.push(mcp.close);
  url = mcp.url;
  client = new Client({ name: 'stack', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url)));
  cleanups.push(() => client.close());
}, 20_000);
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const PICTURE = 'https://pictures.example/a.png';
const VIDEO = 'https://videos.example/a.mp4';
const SOUND = 'https://sounds.example/a.mp3';

it.each([
  ['create_text_to_image_tool', { prompt: 'a cat' }, 'images'],
  ['create_text_to_video_tool', { prompt: 'a cat' }, 'videos'],
  ['create_image_to_video_tool', { image_url: PICTURE }, 'videos'],
  ['create_virtual_try_on_tool', { person_image: PICTURE, garment_image: PICTURE }, 'images'],
  ['create_text_to_image_tool', { prompt: 'a cat', model_name: 'kling-v2-1', resolution: '2k', count: 2 }, 'images'],
  [
    'create_text_to_video_tool',
    { prompt: 'a cat', model_name: 'kling-v3', duration: 12, quality: '4k', sound: true, negative_prompt: 'dogs' },
    'videos',
  ],
  ['create_image_to_video_tool', { image_url: PICTURE, last_frame: PICTURE, quality: '1080p' }, 'videos'],
  ['create_image_from_images_tool', { prompt: '<<<image_1>>> at the sea', images: [PICTURE] }, 'images'],
  ['create_expanded_image_tool', { image: PICTURE, left: 0.5 }, 'images'],
  ['create_image_views_tool', { image: PICTURE }, 'images'],
  ['create_video_from_references_tool', { prompt: '<<<image_1>>> walks', images: [PICTURE] }, 'videos'],
  ['create_video_from_references_tool', { prompt: 'it opens', first_frame: PICTURE, last_frame: PICTURE }, 'videos'],
  [
    'create_video_from_references_tool',
    { prompt: 'make it night', video_url: VIDEO, keep_original_sound: true },
    'videos',
  ],
  ['create_video_from_references_tool', { prompt: 'as there', video_url: VIDEO, video_use: 'follow' }, 'videos'],
  ['create_motion_transfer_tool', { image: PICTURE, video_url: VIDEO }, 'videos'],
  ['create_video_effect_tool', { effect: 'bloombloom', images: [PICTURE] }, 'videos'],
  ['create_talking_video_tool', { image: PICTURE, audio: SOUND }, 'videos'],
  ['create_talking_video_tool', { video_url: VIDEO, audio: SOUND }, 'videos'],
  ['create_talking_video_tool', { video_url: VIDEO, text: 'Good morning', voice_id: 'oversea_male1' }, 'videos'],
  ['create_sound_tool', { prompt: 'rain on a roof' }, 'audios'],
  ['create_sound_tool', { video_url: VIDEO, prompt: 'waves', music_prompt: 'a guitar' }, 'audios'],
])('%s works with %o through API and sandbox', { timeout: 30_000 }, async (name, args, files) => {
  const price = await client.callTool({ name: 'estimate_cost_tool', arguments: { tool: name, arguments: args } });
  expect(price.structuredContent).toMatchObject({ possible: true, errors: [] });
  const made = await client.callTool({ name, arguments: args });
  expect(made.isError ?? false).toBe(false);
  const task_id = (made.structuredContent as { id: string }).id;
  for (const tool of ['get_task_status_tool', 'get_single_task_tool']) {
    const seen = await client.callTool({ name: tool, arguments: { task_id } });
    expect([tool, seen.isError ?? false, seen.structuredContent]).toMatchObject([tool, false, { id: task_id }]);
  }
  const waited = await client.callTool({ name: 'wait_for_task_completion_tool', arguments: { task_id } });
  expect(waited.structuredContent).toMatchObject({ status: 'succeeded' });
  const { result: told } = waited.structuredContent as { result: Record<string, { index: number }[]> };
  expect(told[files]?.length).toBeGreaterThan(0);
  const indexes = Object.values(told).flatMap((group) => group.map(({ index }) => index));
  expect(indexes.sort()).toEqual([...indexes.keys()]);
  const result = await client.callTool({ name: 'get_task_result_tool', arguments: { task_id } });
  expect(result.structuredContent).toMatchObject({ status: 'succeeded' });
  for (const { content } of [waited, result]) {
    const pictures = content.filter((block) => block.type === 'image');
    expect(pictures.length).toBe(files === 'images' ? Math.min(PICTURE_COUNT, indexes.length) : 0);
    const [task, ...links] = content.flatMap((block) => (block.type === 'resource_link' ? [block] : []));
    expect(task?.uri).toBe(`kling://tasks/${task_id}`);
    const types: Record<string, string> = { images: 'image/png', videos: 'video/mp4', audios: 'audio/mpeg' };
    const expected = Object.entries(told).flatMap(([group, each]) => each.map(() => types[group]));
    expect(links.map(({ mimeType }) => mimeType)).toEqual(expected);
    for (const { uri } of links) expect(uri).toMatch(/^http/);
    for (const { data, mimeType } of pictures) {
      expect(mimeType).toBe('image/png');
      expect(PNG.sync.read(Buffer.from(data, 'base64')).width).toBeGreaterThan(100);
    }
  }
});

/** Calls a create tool and waits for the end. @returns the task */
async function finished(name: string, args: Record<string, unknown>) {
  const { id } = (await client.callTool({ name, arguments: args })).structuredContent as { id: string };
  const ended = await client.callTool({ name: 'wait_for_task_completion_tool', arguments: { task_id: id } });
  return ended.structuredContent as { status: string; result: { videos: { vendorId: string }[] } };
}

it('what is kept comes back with an id, and earlier tasks are found again', { timeout: 30_000 }, async () => {
  const ada = { name: 'Ada', description: 'a woman with red hair', image: PICTURE, other_images: [PICTURE] };
  const element = await finished('create_element_tool', ada);
  expect(element).toMatchObject({ status: 'succeeded', result: { elements: [{ element_id: expect.anything() }] } });
  const voice = await finished('create_voice_tool', { name: 'Ada', audio_url: SOUND });
  expect(voice).toMatchObject({ status: 'succeeded', result: { voices: [{ voice_id: expect.anything() }] } });

  const listed = await client.callTool({ name: 'list_tasks_tool', arguments: { kind: 'voice' } });
  expect(listed.structuredContent).toMatchObject({ tasks: [{ kind: 'voice', status: 'succeeded' }] });
  const spent = await client.callTool({ name: 'get_usage_tool', arguments: {} });
  expect(spent.structuredContent).toMatchObject({
    usage: expect.arrayContaining([expect.objectContaining({ kind: 'voice' })]),
  });
});

/** What the task client leaves to its host: sends one request as it is. */
const dispatch: RawClientDispatch = async (request, options) => {
  const { method, params } = request as { method: string; params: { name?: string; taskId?: string } };
  const name = params.name ?? params.taskId;
  const reply = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    ...(options?.signal === undefined ? {} : { signal: options.signal }),
  });
  const body = JSON.parse(await reply.text());
  return body.error === undefined ? { kind: 'result', result: body.result } : { kind: 'error', error: body.error };
};

it('a client with the tasks extension has the picture from the create itself', { timeout: 30_000 }, async () => {
  const own = new Client({ name: 'tasks', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await own.connect(new StreamableHTTPClientTransport(new URL(url)));
  const session = createTaskSessionFromClient(own, {
    endpointId: 'kling',
    rawDispatch: dispatch,
    v2RequestFraming: {
      protocolVersion: '2026-07-28',
      clientInfo: { name: 'tasks', version: '1' },
      clientCapabilities: {},
    },
  });
  const call = async (name: string, args: { [key: string]: string }) => {
    const execution = await session.callTool(name, args);
    const { outcome } = await execution.settle();
    const { content, structuredContent } = resultFromTaskOutcome(outcome) as unknown as {
      content: { type: string; data: string }[];
      structuredContent: { id: string; status: string };
    };
    return { kind: execution.kind, structuredContent, pictures: content.filter(({ type }) => type === 'image') };
  };
  const made = await call('create_text_to_image_tool', { prompt: 'a cat' });
  expect(made).toMatchObject({ kind: 'task', structuredContent: { status: 'succeeded' } });
  expect(PNG.sync.read(Buffer.from(made.pictures[0]?.data ?? '', 'base64')).width).toBeGreaterThan(100);
  // One that has ended is told at once, by the same id.
  const waited = await call('wait_for_task_completion_tool', { task_id: made.structuredContent.id });
  expect(waited).toEqual({ ...made, kind: 'immediate' });

  // One that was begun elsewhere can be waited for beside the one who began it.
  const both = await session.callTool('create_text_to_video_tool', { prompt: 'a cat' });
  if (both.kind !== 'task') throw new Error('there is no task');
  const [beside, first] = await Promise.all([
    call('wait_for_task_completion_tool', { task_id: both.handle.taskId }),
    both.settle(),
  ]);
  expect(beside).toMatchObject({ kind: 'task', structuredContent: { id: both.handle.taskId, status: 'succeeded' } });
  expect(first.outcome.status).toBe('completed');

  // Nobody can stop what is paid: that is taken note of, and the result can be had all the same.
  const unwanted = await session.callTool('create_text_to_image_tool', { prompt: 'a dog' });
  if (unwanted.kind !== 'task') throw new Error('there is no task');
  await unwanted.cancel();
  const { taskId } = unwanted.handle;
  await unwanted.close();
  const kept = await call('wait_for_task_completion_tool', { task_id: taskId });
  expect(kept).toMatchObject({ structuredContent: { id: taskId, status: 'succeeded' }, pictures: [{}] });
  await session.close();
  await own.close();
});

it('has the models of the API', async () => {
  for (let each = 1; each <= 2; each += 1) {
    const { structuredContent } = await client.callTool({ name: 'list_models_tool', arguments: {} });
    expect(structuredContent).toMatchObject({
      kinds: expect.arrayContaining([{ kind: 'multi-elements', models: [] }]),
    });
  }
  const asked = (await registry.metrics()).split('\n').filter((line) => line.includes('route="/api/models"'));
  expect(asked.filter((line) => line.startsWith('http_requests_total'))).toEqual([
    expect.stringMatching(/status="200".* 1$/),
  ]);
});

it('completes ids of tasks', async () => {
  const { structuredContent } = await client.callTool({
    name: 'create_text_to_image_tool',
    arguments: { prompt: 'a cat' },
  });
  const { id } = structuredContent as { id: string };
  const like = (value: string) =>
    client.complete({ ref: { type: 'ref/resource', uri: 'kling://tasks/{id}' }, argument: { name: 'id', value } });
  expect((await like('')).completion.values[0]).toBe(id);
  expect((await like(id.slice(0, 20))).completion.values).toEqual([id]);
  expect((await like(`${id}0`)).completion.values).toEqual([]);
});

it('makes a video of an older model longer', { timeout: 30_000 }, async () => {
  const { result } = await finished('create_text_to_video_tool', { prompt: 'a cat', model_name: 'kling-v1-6' });
  const longer = await finished('create_extended_video_tool', { video_id: result.videos[0]?.vendorId });
  expect(longer).toMatchObject({ status: 'succeeded', result: { videos: [{ index: 0 }] } });
});

it('says before it costs anything what cannot be made', async () => {
  const price = await client.callTool({
    name: 'estimate_cost_tool',
    arguments: { tool: 'create_expanded_image_tool', arguments: { image: PICTURE, up: 2, left: 2 } },
  });
  expect(price.structuredContent).toMatchObject({ possible: false });
  expect(JSON.stringify(price.content)).toContain('3 times');
  const refused = await client.callTool({ name: 'create_talking_video_tool', arguments: { image: PICTURE } });
  expect(JSON.stringify(refused)).toContain('either an audio or a text is needed');
});

it('passes on what Kling refuses, in words', async () => {
  const result = await client.callTool({ name: 'get_single_task_tool', arguments: { task_id: 'nothing' } });
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result.content)).toContain('Check the task_id');
});

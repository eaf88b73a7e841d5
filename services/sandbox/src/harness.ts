import { z } from 'zod';
import { type Sandbox, type SandboxOptions, startSandbox } from './server.ts';

/** For tests: a sandbox whose time stands still unless it is told to pass. */
const replySchema = z.looseObject({ data: z.any().optional() });

export interface Harness {
  readonly sandbox: Sandbox;
  /** POST with a body, else GET; by another method where it is named. */
  call(path: string, init?: CallInit): Promise<{ status: number; body: z.infer<typeof replySchema> }>;
  /** The sandbox's time passes. */
  pass(milliseconds: number): Promise<void>;
}

interface CallInit {
  readonly body?: unknown;
  readonly key?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startHarness(options: Partial<SandboxOptions> = {}): Promise<Harness> {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, speed: 0, ...options });
  const call: Harness['call'] = async (path, { body, key = 'any-key', method, headers } = {}) => {
    const reply = await fetch(sandbox.url + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, body: replySchema.parse(text === '' ? {} : JSON.parse(text)) };
  };
  const pass = async (milliseconds: number) => {
    await call('/sandbox/clock', { body: { advanceSeconds: milliseconds / 1000 } });
  };
  return { sandbox, call, pass };
}

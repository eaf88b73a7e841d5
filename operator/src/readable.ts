/**
 * KlingApis as the cache has them, parsed once for each version of an object: the cache hands out the same one until it changes.
 * One that was stored under other rules than those of this release stands in nobody's way but its own.
 */
import type { z } from 'zod';
import { TerminalError } from './kube/errors.ts';
import { type KlingApi, klingApiSchema } from './resource/klingapi.ts';

/** Only a change of the object helps. */
export class UnreadableError extends TerminalError {
  readonly object: object;

  constructor(object: object, problem: string) {
    super(problem);
    this.object = object;
  }
}

export interface Readable {
  /** @throws UnreadableError that names the fields */
  one(object: object): KlingApi;
  /** Those that can be read. */
  all(objects: readonly object[]): KlingApi[];
}

export function createReadable(): Readable {
  const known = new WeakMap<object, KlingApi | UnreadableError>();

  function read(object: object): KlingApi | UnreadableError {
    const seen = known.get(object);
    if (seen !== undefined) return seen;
    const { data, error } = klingApiSchema.safeParse(object);
    const result = data ?? new UnreadableError(object, problemsOf(error));
    known.set(object, result);
    return result;
  }

  return {
    one(object) {
      const result = read(object);
      if (result instanceof UnreadableError) throw result;
      return result;
    },
    all: (objects) => objects.map(read).filter((result): result is KlingApi => !(result instanceof UnreadableError)),
  };
}

const problemsOf = (error: z.ZodError | undefined): string =>
  `it was stored under other rules than those of this release, so nobody looks after it until it is changed: ${(
    error?.issues ?? []
  )
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ')}`.slice(0, 1024);

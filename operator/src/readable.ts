/**
 * KlingApis as the cache has them, parsed once for each version of an object: the cache hands out the same one until it changes.
 * One that was stored under other rules than those of this release stands in nobody's way but its own.
 */
import type { z } from 'zod';
import { TerminalError } from './kube/errors.ts';
import { type KlingApi, klingApiSchema } from './resource/klingapi.ts';

export interface Readable {
  /** @throws TerminalError that names the fields: only a change of the object helps */
  one(object: object): KlingApi;
  /** Those that can be read. */
  all(objects: readonly object[]): KlingApi[];
}

/** @param onRefused called once for each version that cannot be read */
export function createReadable(onRefused: (object: object, problem: string) => void): Readable {
  const known = new WeakMap<object, KlingApi | string>();

  function read(object: object): KlingApi | string {
    const seen = known.get(object);
    if (seen !== undefined) return seen;
    const { data, error } = klingApiSchema.safeParse(object);
    const result = data ?? problemsOf(error);
    known.set(object, result);
    if (typeof result === 'string') onRefused(object, result);
    return result;
  }

  return {
    one(object) {
      const result = read(object);
      if (typeof result === 'string') throw new TerminalError(result);
      return result;
    },
    all: (objects) => objects.map(read).filter((result) => typeof result !== 'string'),
  };
}

const problemsOf = (error: z.ZodError | undefined): string =>
  `It was stored under other rules than those of this release, so it is left as it is until it is changed: ${(
    error?.issues ?? []
  )
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ')}`;

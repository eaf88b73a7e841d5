/** One Lease with optimistic locking, as the API server keeps it, and calls that a test can make hang or fail. */
import type { KubeClient } from '../client.ts';
import { type Clock, sleep } from '../clock.ts';
import { KubeError } from '../errors.ts';
import type { LeaseSpec } from '../lease.ts';

export type LeaseClient = Pick<KubeClient, 'get' | 'create' | 'replace'>;

export interface LeaseServer {
  /** One process's way to it; `fault` is asked before each call. */
  client(fault?: () => 'hang' | 'fail' | 'lose' | null): LeaseClient;
  spec(): LeaseSpec | undefined;
  /** Every holder that was ever written, in order, without repeats. */
  readonly holders: readonly string[];
  remove(): void;
}

const refused = (code: 'NotFound' | 'Conflict' | 'AlreadyExists', status: number) =>
  new KubeError({ code, status, message: code });

export function createLeaseServer(clock: Clock): LeaseServer {
  let stored: { version: number; spec: LeaseSpec } | undefined;
  let version = 0;
  const holders: string[] = [];

  function write(spec: LeaseSpec): object {
    version += 1;
    stored = { version, spec: structuredClone(spec) };
    if (spec.holderIdentity !== undefined && holders.at(-1) !== spec.holderIdentity) holders.push(spec.holderIdentity);
    return read();
  }
  function read(): object {
    if (stored === undefined) throw refused('NotFound', 404);
    return { metadata: { resourceVersion: String(stored.version), name: 'lease' }, spec: structuredClone(stored.spec) };
  }

  /** What the types promise is what the election parses anyway. */
  const client = (fault: () => 'hang' | 'fail' | 'lose' | null): unknown => {
    const call = async (options: { signal?: AbortSignal; timeoutMs?: number } | undefined, act: () => object) => {
      const kind = fault();
      if (kind === 'fail') throw new KubeError({ code: 'ServerError', status: 500, message: 'broken for this test' });
      // the answer is lost, the deed is done
      if (kind === 'lose') act();
      if (kind !== null) {
        await sleep(clock, options?.timeoutMs ?? 10_000, options?.signal);
        throw new KubeError({ code: 'Timeout', message: 'no answer in this test' });
      }
      return act();
    };
    return {
      get: (_ref: unknown, options?: { timeoutMs?: number }) => call(options, read),
      create: (object: { spec: LeaseSpec }, options?: { timeoutMs?: number }) =>
        call(options, () => {
          if (stored !== undefined) throw refused('AlreadyExists', 409);
          return write(object.spec);
        }),
      replace: (object: { spec: LeaseSpec; metadata: { resourceVersion: string } }, options?: { timeoutMs?: number }) =>
        call(options, () => {
          if (stored === undefined) throw refused('NotFound', 404);
          if (String(stored.version) !== object.metadata.resourceVersion) throw refused('Conflict', 409);
          return write(object.spec);
        }),
    };
  };

  return {
    client: (fault = () => null) => client(fault) as LeaseClient,
    spec: () => stored?.spec,
    holders,
    remove: () => {
      stored = undefined;
    },
  };
}

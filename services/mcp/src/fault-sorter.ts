import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';

/** Errors of one request that are kept until its reply tells whose they are. */
const KEPT = 20;

/**
 * The SDK reports what clients do wrong through the same door as what breaks in
 * here. The status of the reply tells them apart: 5xx is ours, anything else the
 * client's. What is reported outside a request is ours.
 */
export interface FaultSorter {
  report(error: unknown): void;
  /** Runs work whose errors nobody is to be told. */
  aside<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Runs the work of one request. */
  during(response: ServerResponse, work: () => Promise<void>): Promise<void>;
}

export function createFaultSorter(tell: {
  onError: (error: unknown) => void;
  onClientFault: (error: unknown) => void;
}): FaultSorter {
  const requests = new AsyncLocalStorage<unknown[]>();
  return {
    report(error) {
      const kept = requests.getStore();
      if (kept === undefined) tell.onError(error);
      else if (kept.length < KEPT) kept.push(error);
    },
    aside: (work) => requests.run([], work),
    async during(response, work) {
      const kept: unknown[] = [];
      response.once('close', () => {
        for (const error of kept.splice(0)) {
          if (response.statusCode >= 500) tell.onError(error);
          else tell.onClientFault(error);
        }
      });
      await requests.run(kept, work);
    },
  };
}

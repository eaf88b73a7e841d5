import { createLogger } from '@klingapi/management';
import { describe, expect, it, vi } from 'vitest';
import { LeaseLostError, takeLease } from './lease.ts';

const logger = createLogger({ name: 'api', level: 'silent' });

function sharedStore(heartbeat: () => Promise<void>) {
  return { shared: true, heartbeat: vi.fn(heartbeat), leave: vi.fn(async () => {}) };
}

describe('a lease', () => {
  it('is given up before the others may take over, and comes back with the next heartbeat', async () => {
    let reachable = true;
    const store = sharedStore(async () => {
      if (!reachable) throw new Error('unreachable');
    });
    const lease = await takeLease({ store, replica: 'r1', leaseMs: 1000, logger });
    const first = lease.signal();
    lease.check();
    reachable = false;
    await vi.waitFor(() => expect(first.aborted).toBe(true), 5000);
    expect(first.reason).toBeInstanceOf(LeaseLostError);
    expect(() => lease.check()).toThrow(LeaseLostError);
    reachable = true;
    await vi.waitFor(() => expect(lease.signal().aborted).toBe(false), 5000);
    lease.check();
    await lease.end();
    expect(store.leave).toHaveBeenCalledWith('r1');
  });

  it('is known to be lost at once by a process that was stopped for too long', async () => {
    let clock = 0;
    const store = sharedStore(async () => {});
    const lease = await takeLease({ store, replica: 'r1', leaseMs: 60_000, logger, monotonic: () => clock });
    clock = 47_999;
    lease.check();
    clock = 48_001;
    expect(() => lease.check()).toThrow(LeaseLostError);
    await lease.end();
  });

  it('counts from before the heartbeat was sent', async () => {
    let clock = 0;
    const store = sharedStore(async () => {
      clock += 50_000;
    });
    const lease = await takeLease({ store, replica: 'r1', leaseMs: 60_000, logger, monotonic: () => clock });
    expect(() => lease.check()).toThrow(LeaseLostError);
    await lease.end();
  });

  it('needs no sign of life where nobody else could take over', async () => {
    const store = { ...sharedStore(async () => {}), shared: false };
    const lease = await takeLease({ store, replica: 'r1', leaseMs: 4, logger });
    await new Promise((resolve) => setTimeout(resolve, 20));
    lease.check();
    expect(store.heartbeat).toHaveBeenCalledTimes(1);
    await lease.end();
  });
});

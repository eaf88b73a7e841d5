import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shareFlush } from './shared-flush.ts';

it('never says that something is on disk before a flush that began after it was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      async (scheduler, fails) => {
        let written = 0;
        let onDisk = 0;
        let runs = 0;
        let atOnce = 0;
        const flushed = shareFlush(async () => {
          const upTo = written;
          const failed = fails[runs % fails.length] === true;
          runs += 1;
          atOnce += 1;
          expect(atOnce).toBe(1);
          await scheduler.schedule(Promise.resolve());
          atOnce -= 1;
          if (failed) throw new Error('the disk is broken');
          onDisk = upTo;
        });
        const write = async () => {
          await scheduler.schedule(Promise.resolve());
          written += 1;
          const mine = written;
          await flushed().then(
            () => expect(onDisk).toBeGreaterThanOrEqual(mine),
            (error: Error) => expect(error.message).toBe('the disk is broken'),
          );
        };
        const all = Promise.all(Array.from({ length: 12 }, write));
        await scheduler.waitFor(all);
      },
    ),
  );
});

it('is one flush for many', async () => {
  let runs = 0;
  const flushed = shareFlush(async () => {
    runs += 1;
    await new Promise((resolve) => setImmediate(resolve));
  });
  const first = flushed();
  await Promise.resolve();
  await Promise.all([first, flushed(), flushed(), flushed()]);
  expect(runs).toBe(2);
});

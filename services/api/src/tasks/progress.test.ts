import type { UpstreamTask } from '@klingapi/kling';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pollAfter, pollDelay, progressOf } from './progress.ts';
import type { Task } from './task.ts';

const NOW = 1_790_000_000_000;
const task: Task = {
  id: 't',
  subject: 'alice',
  kind: 'text-to-image',
  state: 'submitted',
  createdAt: NOW - 2000,
  updatedAt: NOW - 2000,
  request: {},
  upstreamId: 'u',
  files: [],
  error: null,
  units: null,
  pollAt: NOW,
};
const upstream: UpstreamTask = {
  id: 'u',
  externalId: 't',
  status: 'processing',
  statusMessage: '',
  createdAt: undefined,
  updatedAt: undefined,
  images: [],
  videos: [],
  audios: [],
  elements: [],
  voices: [],
  units: undefined,
};

describe('what Kling tells of a task', () => {
  it('moves it on, and is no update when nothing moved', () => {
    expect(progressOf(task, upstream, NOW)).toMatchObject({ state: 'processing', updatedAt: NOW, pollAt: NOW + 250 });
    const same = progressOf({ ...task, state: 'processing' }, upstream, NOW);
    expect(same.updatedAt).toBe(task.updatedAt);
  });

  it('ends it with files in the order of their index, and the units', () => {
    const images = [2, 0, 1].map((index) => ({ index, url: `https://x/${index}.png` }));
    expect(progressOf(task, { ...upstream, status: 'succeeded', images, units: '24.5' }, NOW)).toMatchObject({
      state: 'succeeded',
      pollAt: null,
      units: 24.5,
      files: [0, 1, 2].map((index) => ({ url: `https://x/${index}.png` })),
    });
    const video = { url: 'https://x/0.mp4', duration: '5.041' };
    expect(progressOf(task, { ...upstream, status: 'succeeded', videos: [video] }, NOW).files).toEqual([
      { url: video.url, group: 'videos', durationSeconds: 5.041 },
    ]);
  });

  it('fails it with the reason that Kling gave, also for a success without a result', () => {
    expect(progressOf(task, { ...upstream, status: 'failed', statusMessage: 'risk control' }, NOW)).toMatchObject({
      state: 'failed',
      pollAt: null,
      error: { code: 'upstream_task_failed', message: 'risk control' },
    });
    expect(progressOf(task, { ...upstream, status: 'succeeded' }, NOW)).toMatchObject({
      state: 'failed',
      error: { code: 'upstream_result' },
    });
  });

  it('is asked for less and less often', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (age, more) => {
        expect(pollDelay(age + more)).toBeGreaterThanOrEqual(pollDelay(age));
      }),
    );
    expect([pollDelay(0), pollDelay(0, true)]).toEqual([250, 20_000]);
    expect(pollDelay(3_600_000)).toBe(120_000);
  });

  it('is asked for together with others of its age, never much sooner or later', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        fc.constantFrom(250, 1000, 5000, 15_000, 120_000),
        (now, delay) => {
          const at = pollAfter(now, delay);
          expect(at % (delay / 5)).toBe(0);
          expect(Math.abs(at - now - delay)).toBeLessThanOrEqual(delay / 10);
        },
      ),
    );
  });
});

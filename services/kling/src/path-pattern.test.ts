import { expect, it } from 'vitest';
import { pathPattern } from './path-pattern.ts';

it.each([
  ['/v1/images/generations', '/v1/images/generations'],
  ['/v1/images/generations/abc-1', '/v1/images/generations/{id}'],
  ['/v1/videos/avatar/image2video/abc-1', '/v1/videos/avatar/image2video/{id}'],
  ['/text-to-video/any-model', '/text-to-video/{model}'],
  ['/tasks?task_ids=1,2', '/tasks'],
  ['/account/costs?start_time=1', '/account/costs'],
  ['/elsewhere/abc', 'other'],
])('%s is counted as %s', (path, pattern) => expect(pathPattern(path)).toBe(pattern));

import { expect, it } from 'vitest';
import { KINDS, MODELS, REQUESTS } from './index.ts';

it.each(KINDS)('the first model of %s is the one that a request takes without a choice', (kind) => {
  const picture = 'https://x.example/a.png';
  const body = { prompt: 'x', image: picture, human_image: picture, cloth_image: picture };
  expect(REQUESTS[kind].parse(body).model_name).toBe(MODELS[kind][0]?.id);
});

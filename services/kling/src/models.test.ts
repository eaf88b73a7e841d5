import { expect, it } from 'vitest';
import { KINDS, MODELS, REQUESTS } from './index.ts';

it.each(KINDS.filter((kind) => MODELS[kind].length > 0))(
  'the first model of %s is the one that a request takes without a choice',
  (kind) => {
    const picture = 'https://x.example/a.png';
    const body = {
      ...{ prompt: 'x', image: picture, human_image: picture, cloth_image: picture, image_url: picture },
      ...{ image_list: [{ image: picture, image_url: picture }], subject_image_list: [{ subject_image: picture }] },
      ...{ video_url: picture, character_orientation: 'image', contents: [{ type: 'prompt', text: 'x' }] },
      settings: { character_orientation: 'image' },
    };
    expect(REQUESTS[kind].parse(body)).toMatchObject({ model_name: MODELS[kind][0]?.id });
  },
);

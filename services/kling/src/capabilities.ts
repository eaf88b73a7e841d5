import type { Kind } from './endpoints.ts';
import { type Model, modelOf } from './models.ts';
import type { KlingRequest } from './schema.ts';
import { type Wishes, wishesOf } from './wishes.ts';

/** Why a request cannot succeed, and what to do about it. */
export interface Impossible {
  readonly field: string;
  readonly problem: string;
  readonly hint: string;
}

type Rule = (wishes: Wishes, model: Model) => Impossible | undefined | false;

/** What depends on the model; each rule says nothing where its ability is not known. */
const RULES: readonly Rule[] = [
  ({ seconds, fields }, { id, lengths }) =>
    lengths !== undefined &&
    seconds !== undefined &&
    !lengths.includes(seconds) && {
      field: fields.seconds,
      problem: `${id} makes no video of ${seconds} s`,
      hint: `one of ${lengths.join(', ')} seconds, or another model`,
    },
  ({ resolution, fields }, { id, resolutions }) =>
    resolutions.length > 0 &&
    resolution !== undefined &&
    !resolutions.includes(resolution) && {
      field: fields.resolution,
      problem: `${id} does not make ${resolution}`,
      hint: `one of ${resolutions.join(', ')} (std is 720p, pro is 1080p), or another model`,
    },
  ({ sound, fields }, { id, audio }) =>
    sound &&
    audio === 'never' && {
      field: fields.sound,
      problem: `${id} makes silent videos only`,
      hint: 'leave the sound off, or take kling-v3',
    },
  ({ sound, resolution, fields }, { id, audio, audioOnlyIn }) =>
    sound &&
    audio !== 'never' &&
    audioOnlyIn !== undefined &&
    resolution !== undefined &&
    !audioOnlyIn.includes(resolution) && {
      field: fields.sound,
      problem: `${id} has no sound in ${resolution}`,
      hint: `ask for ${audioOnlyIn.join(' or ')} (mode pro), or leave the sound off`,
    },
  ({ lastFrame, fields }, { id, lastFrame: can }) =>
    lastFrame &&
    can === false && {
      field: fields.lastFrame,
      problem: `${id} takes no last frame`,
      hint: 'leave it out, or take kling-v3 (kling-3.0)',
    },
  ({ lastFrame, resolution, fields }, { id, lastFrameOnlyIn }) =>
    lastFrame &&
    lastFrameOnlyIn !== undefined &&
    resolution !== undefined &&
    !lastFrameOnlyIn.includes(resolution) && {
      field: fields.lastFrame,
      problem: `${id} takes a last frame in ${lastFrameOnlyIn.join(' or ')} alone`,
      hint: 'ask for 1080p (mode pro), or leave it out',
    },
  ({ multiShot, shots, fields }, { id, multiShot: can }) =>
    (multiShot || shots.length > 0) &&
    can === false && {
      field: fields.multiShot,
      problem: `${id} makes one shot only`,
      hint: 'leave it out, or take kling-v3',
    },
  ({ elements, fields }, { id, elements: most }) =>
    most !== undefined &&
    elements > most && {
      field: fields.elements,
      problem: `${id} takes ${most === 0 ? 'no elements' : `${most} elements at most`}`,
      hint: 'give fewer, or take kling-v3 or an omni model',
    },
  ({ voices, fields }, { id, voices: most }) =>
    most !== undefined &&
    voices > most && {
      field: fields.voices,
      problem: `${id} takes ${most === 0 ? 'no voices' : `${most} voices at most`}`,
      hint: 'give fewer, or take kling-v2-6 with an image',
    },
];

/** What holds for every model. */
const ALWAYS: readonly ((wishes: Wishes, kind: Kind) => Impossible | undefined | false)[] = [
  ({ shots, seconds, fields }) => {
    const sum = shots.reduce((all, each) => all + each, 0);
    return (
      shots.length > 0 &&
      seconds !== undefined &&
      sum !== seconds && {
        field: 'multi_prompt',
        problem: `the shots have ${sum} s together and the video ${seconds} s`,
        hint: `make both equal, for example by ${fields.seconds} "${sum}"`,
      }
    );
  },
  ({ voices, sound, fields }) =>
    voices > 0 &&
    !sound && { field: fields.sound, problem: 'voices are heard only with sound', hint: 'turn the sound on' },
  ({ sound, referenceVideo, fields }) =>
    sound &&
    referenceVideo !== undefined && {
      field: fields.sound,
      problem: 'with a reference video no sound is made',
      hint: 'leave it off; the original sound can be kept',
    },
  ({ lastFrame, firstFrame, fields }, kind) =>
    lastFrame &&
    !firstFrame &&
    (kind === 'omni-video' || kind.startsWith('new-')) && {
      field: fields.lastFrame,
      problem: 'a last frame alone is not taken',
      hint: 'give a first frame too',
    },
  ({ elements, images }, kind) =>
    (kind === 'text-to-image' || kind === 'omni-image') &&
    elements + images > 10 && {
      field: 'element_list',
      problem: 'pictures and elements are more than 10 together',
      hint: 'give fewer of them',
    },
  ({ elements, images, referenceVideo, fields }, kind) => {
    const most = referenceVideo === undefined ? 7 : 4;
    return (
      (kind === 'omni-video' || kind === 'new-omni-video') &&
      elements + images > most && {
        field: fields.elements,
        problem: `pictures and elements are more than ${most} together`,
        hint: 'give fewer of them',
      }
    );
  },
];

/**
 * All reasons why Kling would refuse the request, or make something else than was
 * asked for, as far as they are known before it costs anything. An unknown model
 * is only judged by what holds for all.
 */
export function impossible(kind: Kind, request: KlingRequest): Impossible[] {
  const wishes = wishesOf(kind, request);
  const model = wishes.model === undefined ? undefined : modelOf(kind, wishes.model);
  const found = [
    ...ALWAYS.map((rule) => rule(wishes, kind)),
    ...(model === undefined ? [] : RULES.map((rule) => rule(wishes, model))),
    ...expansionLimit(kind, request),
  ];
  return found.flatMap((reason) => (reason === undefined || reason === false ? [] : [reason]));
}

/** The vendor's limit: three times the area. */
function expansionLimit(kind: Kind, request: KlingRequest): Impossible[] {
  if (kind !== 'image-expand' || !('up_expansion_ratio' in request)) return [];
  const height = 1 + request.up_expansion_ratio + request.down_expansion_ratio;
  const width = 1 + request.left_expansion_ratio + request.right_expansion_ratio;
  if (height * width <= 3) return [];
  return [
    {
      field: 'up_expansion_ratio',
      problem: `the picture would grow to ${(height * width).toFixed(2)} times its area`,
      hint: 'at most 3 times: (1 + up + down) × (1 + left + right) ≤ 3',
    },
  ];
}

import type { Schema } from './schema.ts';

/** What a model can do, as `GET /api/models` tells it; what is absent is not known and stays open. */
export interface Abilities {
  readonly id: string;
  readonly lengths?: readonly number[];
  readonly resolutions: readonly string[];
  readonly audio?: 'never' | 'choice' | 'always';
  readonly lastFrame?: boolean;
  readonly multiShot?: boolean;
  readonly elements?: number;
  readonly voices?: number;
  readonly cfgScale?: boolean;
  readonly imageReference?: boolean;
  readonly note?: string;
}

/** How the older families call the resolutions. */
const MODES: Readonly<Record<string, string>> = { '720p': 'std', '1080p': 'pro', '4k': '4k' };

/**
 * The schema without what the model cannot do, so that nobody is offered it. What
 * depends on two fields at once is left to the estimate, which tells it. Pure.
 */
export function narrow(schema: Schema, model: Abilities | undefined): Schema {
  if (model === undefined || schema.properties === undefined) return schema;
  const { settings } = schema.properties;
  const properties = narrowed(schema.properties, model);
  return {
    ...schema,
    properties: {
      ...properties,
      ...(settings?.properties === undefined
        ? {}
        : { settings: { ...settings, properties: narrowedSettings(settings.properties, model) } }),
    },
  };
}

type Properties = Readonly<Record<string, Schema>>;

function narrowed(properties: Properties, model: Abilities): Properties {
  const { lengths, resolutions, audio, lastFrame, multiShot, elements, voices, cfgScale, imageReference } = model;
  const without = new Set([
    ...(audio === 'never' ? ['sound'] : []),
    ...(lastFrame === false ? ['image_tail'] : []),
    ...(multiShot === false ? ['multi_shot', 'shot_type', 'multi_prompt'] : []),
    ...(elements === 0 ? ['element_list'] : []),
    ...(voices === 0 ? ['voice_list'] : []),
    ...(cfgScale === false ? ['cfg_scale'] : []),
    ...(imageReference === false ? ['image', 'image_reference', 'image_fidelity', 'human_fidelity'] : []),
  ]);
  const modes = resolutions.flatMap((resolution) => MODES[resolution] ?? []);
  return pick(properties, without, {
    ...(lengths === undefined ? {} : { duration: chosen(lengths.map(String), lengths.includes(5) ? '5' : undefined) }),
    ...(modes.length === 0 ? {} : { mode: chosen(modes, properties['mode']?.default) }),
    ...(resolutions.length === 0 ? {} : { resolution: chosen(resolutions, properties['resolution']?.default) }),
    ...limited(properties, { element_list: elements, voice_list: voices }),
  });
}

function narrowedSettings(properties: Properties, { lengths, resolutions, audio, multiShot }: Abilities): Properties {
  const without = new Set([
    ...(audio === 'never' || audio === 'always' ? ['audio'] : []),
    ...(multiShot === false ? ['multi_shot'] : []),
  ]);
  return pick(properties, without, {
    ...(lengths === undefined ? {} : { duration: chosen(lengths, lengths.includes(5) ? 5 : undefined) }),
    ...(resolutions.length === 0 ? {} : { resolution: chosen(resolutions, undefined) }),
    ...(audio === 'choice' ? { audio: chosen(['off', 'native'], undefined) } : {}),
  });
}

const chosen = (values: readonly unknown[], usual: unknown): Schema => ({
  enum: values,
  ...(usual === undefined ? {} : { default: usual }),
});

function limited(properties: Properties, most: Readonly<Record<string, number | undefined>>): Properties {
  return Object.fromEntries(
    Object.entries(most).flatMap(([name, maxItems]) => {
      const schema = properties[name];
      return schema === undefined || maxItems === undefined ? [] : [[name, { ...schema, maxItems }]];
    }),
  );
}

/** Without some, and with others in the place of those that are there. */
function pick(properties: Properties, without: ReadonlySet<string>, instead: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => !without.has(name))
      .map(([name, schema]) => [name, instead[name] ?? schema]),
  );
}

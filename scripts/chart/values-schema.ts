/** `values.schema.json`: helm holds every install, upgrade and lint to it, and editors complete from it. */
import { z } from 'zod';
import { valuesSchema } from './values.ts';

/** What helm brings where the chart is a part of another one. */
const ofParents = {
  global: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Values that all charts of a parent chart share; not read.'),
  enabled: z.boolean().optional().describe('For the condition of a parent chart; not read.'),
};

export function valuesJsonSchema(): string {
  const schema = z.toJSONSchema(valuesSchema.extend(ofParents), {
    target: 'draft-7',
    io: 'input',
    override({ jsonSchema }) {
      // what every JSON number and name is anyway
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      delete jsonSchema.propertyNames;
      // helm reads patterns as Go does, which has no such escapes; the operator itself checks them
      if (jsonSchema.pattern?.includes('\\u') === true) delete jsonSchema.pattern;
    },
  });
  return `${JSON.stringify({ ...schema, title: 'Values of kling-operator' }, null, 2)}\n`;
}

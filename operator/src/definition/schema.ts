/** As much of a structural schema as decides whether a value can be stored under it. */
import { z } from 'zod';
import { customResourceDefinition } from '../resource/crd.ts';
import { GROUP, KIND, VERSION } from '../resource/klingapi.ts';

export interface SchemaNode {
  type?: string | undefined;
  properties?: Record<string, SchemaNode> | undefined;
  additionalProperties?: SchemaNode | boolean | undefined;
  items?: SchemaNode | undefined;
  required?: string[] | undefined;
  enum?: unknown[] | undefined;
  maxLength?: number | undefined;
  maxItems?: number | undefined;
  minimum?: number | undefined;
  maximum?: number | undefined;
  'x-kubernetes-list-type'?: string | undefined;
  'x-kubernetes-preserve-unknown-fields'?: boolean | undefined;
}

export const schemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({
    type: z.string().optional(),
    properties: z.record(z.string(), schemaNode).optional(),
    additionalProperties: z.union([z.boolean(), schemaNode]).optional(),
    items: schemaNode.optional(),
    required: z.array(z.string()).optional(),
    enum: z.array(z.unknown()).optional(),
    maxLength: z.number().optional(),
    maxItems: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    'x-kubernetes-list-type': z.string().optional(),
    'x-kubernetes-preserve-unknown-fields': z.boolean().optional(),
  }),
);

const definition = z.object({
  spec: z.object({
    versions: z.tuple([z.object({ schema: z.object({ openAPIV3Schema: schemaNode }) })]),
  }),
});

/** The schema that this operator was made with. */
export const ownSchema = (): SchemaNode =>
  definition.parse(customResourceDefinition()).spec.versions[0].schema.openAPIV3Schema;

const document = z.object({
  components: z.object({
    schemas: z.record(
      z.string(),
      z.looseObject({
        'x-kubernetes-group-version-kind': z
          .array(z.object({ group: z.string(), version: z.string(), kind: z.string() }))
          .optional(),
      }),
    ),
  }),
});

/**
 * The schema of a KlingApi in the OpenAPI document of its group.
 *
 * @returns undefined where it is not in there: the kind is not served, or the document is not written yet
 * @throws ZodError where it is no such document
 */
export function publishedSchema(reply: unknown): SchemaNode | undefined {
  const found = Object.values(document.parse(reply).components.schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      ({ group, version, kind }) => group === GROUP && version === VERSION && kind === KIND,
    ),
  );
  return found === undefined ? undefined : schemaNode.parse(found);
}

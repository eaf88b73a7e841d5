/** zod to CustomResourceDefinition: JSON Schema, made structural as the API server demands it. */
import { z } from 'zod';
import { cel } from './bounds.ts';
import { GROUP, KIND, PLURAL, VERSION } from './klingapi.ts';
import { specSchema } from './spec.ts';
import { statusSchema } from './status.ts';

type Json = { [key: string]: unknown };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys of JSON Schema that a structural schema has no room for. */
const FOREIGN = new Set(['$schema', 'propertyNames', 'additionalProperties:false', 'id']);

/**
 * Makes one node structural: drops what the API server refuses, merges `allOf` (an intersection) into its node,
 * turns the number-or-text union into `x-kubernetes-int-or-string`, and takes away bounds that only say "a safe integer".
 */
function structural(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structural);
  if (!isObject(node)) return node;
  const merged: Json = {};
  const parts = Array.isArray(node['allOf'])
    ? [...node['allOf'].filter(isObject), { ...node, allOf: undefined }]
    : [node];
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) {
      if (value === undefined || FOREIGN.has(key)) continue;
      if (key === 'additionalProperties' && (value === false || part['x-kubernetes-preserve-unknown-fields'] === true))
        continue;
      if (
        (key === 'maximum' && value === Number.MAX_SAFE_INTEGER) ||
        (key === 'minimum' && value === Number.MIN_SAFE_INTEGER)
      )
        continue;
      merged[key] = value;
    }
  }
  if (merged['x-kubernetes-int-or-string'] === true) {
    // the alternatives may carry no `type` of their own here
    const alternatives = (Array.isArray(merged['anyOf']) ? merged['anyOf'] : []).filter(isObject);
    const pattern = alternatives.find((option) => option['type'] === 'string')?.['pattern'];
    const integer = alternatives.find((option) => option['type'] === 'integer');
    delete merged['anyOf'];
    return {
      ...merged,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      ...(pattern === undefined ? {} : { pattern }),
      // bounds speak of numbers only, the pattern of strings only
      ...(integer === undefined ? {} : { minimum: integer['minimum'], maximum: integer['maximum'] }),
      maxLength: 8,
    };
  }
  if (merged['type'] === 'integer') merged['format'] = 'int64';
  const out: Json = {};
  for (const [key, value] of Object.entries(merged)) {
    if (key === 'properties' && isObject(value)) {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, structural(child)]));
    } else if (key === 'default' || key === 'enum' || key.startsWith('x-kubernetes-')) {
      out[key] = value;
    } else {
      out[key] = structural(value);
    }
  }
  return out;
}

const toStructural = (schema: z.ZodType): Json => {
  const made = structural(
    z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', unrepresentable: 'throw', reused: 'inline' }),
  );
  if (!isObject(made)) throw new TypeError('a schema of the resource is not an object');
  return made;
};

const columns = [
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: 'Whether it works',
  },
  { name: 'MCP', type: 'string', jsonPath: '.status.mcp.serving', description: 'MCP pods that serve' },
  { name: 'Verified', type: 'string', jsonPath: '.status.verification.summary', description: 'Checks that passed' },
  { name: 'Repairs', type: 'integer', jsonPath: '.status.repairsTotal', description: 'Repairs ever made' },
  { name: 'URL', type: 'string', jsonPath: '.status.endpoints.mcp', description: 'MCP endpoint' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** The CustomResourceDefinition as a plain object. */
export function customResourceDefinition(): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: 'klingapi',
        shortNames: ['kapi'],
        categories: ['kling'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              description:
                'A KlingApi runs the Kling media-generation service as an API and an MCP workload and repairs the MCP workload when it stops speaking MCP.',
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'klingapi.dev/v1alpha1' },
                kind: { type: 'string', description: 'KlingApi' },
                metadata: { type: 'object' },
                spec: { ...toStructural(specSchema), description: 'What is wanted' },
                status: {
                  ...toStructural(statusSchema),
                  description: 'What was seen; written by the operator',
                  // whoever waits for it must not take a resource that nobody has looked at yet for finished
                  default: { observedGeneration: -1 },
                },
              },
              ...cel({
                rule: "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                message:
                  'metadata.name must have at most 40 characters, begin with a letter and hold only a-z, 0-9 and -, because names of children are made from it',
              }),
            },
          },
        },
      ],
    },
  };
}

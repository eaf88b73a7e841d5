/** The reference page of the resource, from the same definition that the API server gets. */
import { z } from 'zod';
import { customResourceDefinition } from './crd.ts';

/** What of a structural schema the page tells. */
const schemaNode = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  maxProperties: z.number().optional(),
  required: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), schemaNode).optional();
  },
  get items() {
    return schemaNode.optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), schemaNode]).optional();
  },
  'x-kubernetes-validations': z.array(z.object({ message: z.string(), fieldPath: z.string().optional() })).optional(),
  'x-kubernetes-int-or-string': z.boolean().optional(),
  'x-kubernetes-preserve-unknown-fields': z.boolean().optional(),
});
type Node = z.output<typeof schemaNode>;

const definition = z.object({
  spec: z.object({
    versions: z.tuple([z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: schemaNode }) })]),
  }),
});

/** A bar would end the cell, angle brackets would be a tag. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ');
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function typeOf(node: Node): string {
  if (node['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (typeof node.additionalProperties === 'object') return `map of ${typeOf(node.additionalProperties)}`;
  if (node.format === 'date-time') return 'time';
  if (node['x-kubernetes-preserve-unknown-fields'] === true) return 'object, as Kubernetes has it';
  return node.type ?? 'any';
}

function boundsOf(node: Node): string {
  const between = (least: number | undefined, most: number | undefined, unit: string): string[] => {
    if (least === undefined && most === undefined) return [];
    if (most === undefined) return [`at least ${least}${unit}`];
    return [
      least === undefined || (unit !== '' && least === 0) ? `at most ${most}${unit}` : `${least} to ${most}${unit}`,
    ];
  };
  return [
    ...between(node.minimum, node.maximum, ''),
    ...(node.enum === undefined ? between(node.minLength, node.maxLength, ' characters') : []),
    ...between(node.minItems, node.maxItems, ' items'),
    ...between(undefined, node.maxProperties, ' entries'),
    ...(node.pattern === undefined ? [] : [code(node.pattern)]),
  ].join('; ');
}

/** A parent's default only says that what is below it is filled in. */
const defaultOf = ({ default: value, properties }: Node): string =>
  value === undefined || (properties !== undefined && JSON.stringify(value) === '{}')
    ? ''
    : code(JSON.stringify(value));

interface Field {
  path: string;
  node: Node;
  required: boolean;
}

/** Every field below `node`, parents first. */
function fieldsOf(node: Node, path: string): Field[] {
  const inner = node.items ?? (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined);
  if (inner !== undefined) return fieldsOf(inner, `${path}[]`);
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    { path: `${path}.${name}`, node: child, required: node.required?.includes(name) === true },
    ...fieldsOf(child, `${path}.${name}`),
  ]);
}

/** Rules of a node and of everything below it, with the path that the API server names. */
function rulesOf(node: Node, path: string): string[] {
  const own = (node['x-kubernetes-validations'] ?? []).map(
    ({ message, fieldPath }) => `- ${code(`${path}${fieldPath ?? ''}`)}: ${message}`,
  );
  const inner = node.items === undefined ? [] : rulesOf(node.items, `${path}[]`);
  const below = Object.entries(node.properties ?? {}).flatMap(([name, child]) => rulesOf(child, `${path}.${name}`));
  return [...own, ...inner, ...below];
}

const specTable = (fields: Field[]): string[] => [
  '| field | type | default | bounds | what it is |',
  '|---|---|---|---|---|',
  ...fields.map(
    ({ path, node, required }) =>
      `| ${code(path)}${required ? ' (required)' : ''} | ${typeOf(node)} | ${defaultOf(node)} | ${boundsOf(node)} | ${cell(node.description ?? '')} |`,
  ),
];

const statusTable = (fields: Field[]): string[] => [
  '| field | type | what it is |',
  '|---|---|---|',
  ...fields.map(({ path, node }) => `| ${code(path)} | ${typeOf(node)} | ${cell(node.description ?? '')} |`),
];

/** @returns the whole page as Markdown */
export function referencePage(): string {
  const [version] = definition.parse(customResourceDefinition()).spec.versions;
  const root = version.schema.openAPIV3Schema;
  const { spec, status } = root.properties ?? {};
  if (spec === undefined || status === undefined) throw new TypeError('the resource has no spec or no status');
  const blocks = Object.entries(spec.properties ?? {}).flatMap(([name, node]) => {
    const path = `spec.${name}`;
    const itself: Field = { path, node, required: spec.required?.includes(name) === true };
    const below = fieldsOf(node, path);
    const rules = rulesOf(node, path);
    return [
      `## ${code(path)}`,
      '',
      ...(below.length === 0 ? specTable([itself]) : [`${node.description ?? ''}.`, '', ...specTable(below)]),
      ...(rules.length === 0 ? [] : ['', 'Rules:', '', ...rules]),
      '',
    ];
  });
  const whole = (root['x-kubernetes-validations'] ?? []).map(({ message }) => `- ${message}`);
  const across = rulesOf({ ...spec, properties: {} }, 'spec');
  return `${[
    '<!-- Generated from operator/src/resource by `npm run generate`; do not edit. -->',
    '',
    '# KlingApi',
    '',
    `\`klingapi.dev/${version.name}\`, kind \`KlingApi\`, short name \`kapi\`. ${root.description ?? ''}`,
    '',
    'A field without a default is absent unless it is set, and its text says what that means. Numbers carry their unit in their name. The API server refuses what breaks a bound or a rule, with the message below; `kubectl explain klingapi.spec` tells the same fields.',
    '',
    'Rules across blocks:',
    '',
    ...whole,
    ...across,
    '',
    ...blocks,
    '## `status`',
    '',
    'Written by the operator. Conditions: `Ready` (does it work), `Accepted`, `ApiAvailable`, `McpAvailable`, `ProtocolVerified`, `UpstreamReachable`; and, present only while they are true, `Degraded`, `RemediationExhausted`, `OptionalKindsMissing`, `CrdOutdated`, `StormActive`, `Reconciling`, `Stalled`, `Paused`.',
    '',
    ...statusTable(fieldsOf(status, 'status')),
  ].join('\n')}\n`;
}

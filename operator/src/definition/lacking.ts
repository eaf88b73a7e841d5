/** What one schema has and another has not: where the definition in the cluster is older than the operator. */
import type { SchemaNode } from './schema.ts';

/** Where a schema goes on below a node, by the text that its path goes on with. */
function children(node: SchemaNode): [step: string, child: SchemaNode][] {
  const { properties = {}, items, additionalProperties } = node;
  return [
    ...Object.entries(properties).map(([name, child]): [string, SchemaNode] => [`.${name}`, child]),
    ...(items === undefined ? [] : [['[]', items] satisfies [string, SchemaNode]]),
    ...(typeof additionalProperties === 'object' ? [['[*]', additionalProperties] satisfies [string, SchemaNode]] : []),
  ];
}

/**
 * Paths of the fields, and of the values of fields, that `wanted` has and `live` lacks, such as `status.exposure` and
 * `status.repairs[].action=KubeletRestart`; what lies below one is not named.
 */
export function lacking(wanted: SchemaNode, live: SchemaNode, path = ''): string[] {
  if (live['x-kubernetes-preserve-unknown-fields'] === true) return [];
  const known = live.enum;
  const values =
    known === undefined
      ? []
      : (wanted.enum ?? []).filter((value) => !known.includes(value)).map((value) => `${path}=${String(value)}`);
  const below = new Map(children(live));
  return [
    ...values,
    ...children(wanted).flatMap(([step, child]) => {
      const at = `${path}${path === '' ? step.replace(/^\./, '') : step}`;
      const there = below.get(step);
      return there === undefined ? [at] : lacking(child, there, at);
    }),
  ];
}

/** Names of the fields along a path as the API server writes it: `.status.repairs[id="a"].recurrence`. */
const namesOf = (path: string): string[] => path.match(/\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]|[^.[]+/g) ?? [];

/**
 * The schema without one field.
 *
 * @param path as the API server names it in a refusal
 * @returns undefined where there is no such field
 */
export function without(schema: SchemaNode, path: string): SchemaNode | undefined {
  return remove(schema, namesOf(path));
}

function remove(node: SchemaNode, [name, ...rest]: string[]): SchemaNode | undefined {
  if (name === undefined) return undefined;
  if (name.startsWith('[')) {
    const items = node.items === undefined ? undefined : remove(node.items, rest);
    return items === undefined ? undefined : { ...node, items };
  }
  const { [name]: child, ...others } = node.properties ?? {};
  if (child === undefined) return undefined;
  if (rest.length === 0) return { ...node, properties: others };
  const removed = remove(child, rest);
  return removed === undefined ? undefined : { ...node, properties: { ...node.properties, [name]: removed } };
}

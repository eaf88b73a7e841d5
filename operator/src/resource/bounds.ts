/** Bounded building blocks: the API server estimates the cost of CEL rules from bounds, so every string, list and map has one. */
import { z } from 'zod';

/** A CEL rule as the API server takes it; `fieldPath` is relative to the schema that carries the rule. */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
  reason?: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueForbidden';
}

/** Attaches CEL rules to a schema. */
export const cel = (...rules: CelRule[]): Record<string, unknown> => ({ 'x-kubernetes-validations': rules });

/** A list whose items are told apart by `keys`, so that several managers can own different items. */
export const mapList = <T extends z.ZodType>(item: T, keys: string[], maxItems: number) =>
  z.array(item).max(maxItems).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });

/** A list that is replaced as one. */
export const atomicList = <T extends z.ZodType>(item: T, maxItems: number, minItems?: number) => {
  const list = z.array(item).max(maxItems);
  return (minItems === undefined ? list : list.min(minItems)).meta({ 'x-kubernetes-list-type': 'atomic' });
};

/** A list of distinct scalars. */
export const setList = <T extends z.ZodType>(item: T, maxItems: number) =>
  z.array(item).max(maxItems).meta({ 'x-kubernetes-list-type': 'set' });

export const text = (max: number) => z.string().max(max);
export const required = (max: number) => z.string().min(1).max(max);

/** Name of an object of Kubernetes (RFC 1123 subdomain). */
export const objectName = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** A map of strings with at most `max` entries. */
export const stringMap = (max: number, valueMax = 4096) =>
  z.record(z.string(), z.string().max(valueMax)).meta({ maxProperties: max });

/** A quantity of Kubernetes, such as `500m` or `1Gi`. */
export const quantity = () =>
  z
    .string()
    .max(32)
    .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/);

export const int = (min: number, max: number) => z.int().min(min).max(max);

/** A point in time, RFC 3339 with a zone. */
export const time = () => z.string().max(64).meta({ format: 'date-time' });

/** Any object of the Kubernetes API whose inside this project hands on without reading it. */
export const opaque = () => z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true });

export const secretRef = () => z.object({ name: objectName().describe('Name of a Secret in the same namespace') });

export const secretKeyRef = () =>
  z.object({
    name: objectName().describe('Name of a Secret in the same namespace'),
    key: required(253).describe('Key within the Secret'),
  });

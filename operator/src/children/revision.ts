/**
 * The name of one pod template. Every template carries it as a label, so that each pod tells which revision it belongs to.
 * What the operator stamps on a template to make new pods of the same revision (another Secret, a restart) is no part of it.
 */
import { createHash } from 'node:crypto';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';

export const REVISION_LABEL = 'klingapi.dev/revision';
/** Annotation of the MCP pod template: the newest restart of all pods by a repair. */
export const RESTARTED_AT = 'klingapi.dev/restarted-at';
/** Annotations with this prefix are stamps. */
const STAMP_PREFIX = 'klingapi.dev/';

interface Workload {
  spec?: { template?: V1PodTemplateSpec } | undefined;
}

type Annotations = Record<string, string>;

const split = (template: V1PodTemplateSpec): { stamps: Annotations; others: Annotations } => {
  const entries = Object.entries(template.metadata?.annotations ?? {});
  const pick = (stamp: boolean) =>
    Object.fromEntries(entries.filter(([name]) => name.startsWith(STAMP_PREFIX) === stamp));
  return { stamps: pick(true), others: pick(false) };
};

function withAnnotations(template: V1PodTemplateSpec, annotations: Annotations): V1PodTemplateSpec {
  const { annotations: _, ...metadata } = template.metadata ?? {};
  return { ...template, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
}

/** The template without stamps: what a revision is. */
export const bareTemplate = (template: V1PodTemplateSpec): V1PodTemplateSpec =>
  withAnnotations(template, split(template).others);

/** The template of one revision with the stamps of another, and those given on top. */
export const stamped = (
  template: V1PodTemplateSpec,
  from: V1PodTemplateSpec | undefined,
  more: Annotations = {},
): V1PodTemplateSpec =>
  withAnnotations(template, {
    ...split(template).others,
    ...(from === undefined ? {} : split(from).stamps),
    ...more,
  });

/** @returns the template, labelled with ten hexadecimal digits of its hash */
export function named(template: V1PodTemplateSpec): V1PodTemplateSpec {
  const revision = createHash('sha256')
    .update(JSON.stringify(bareTemplate(template)))
    .digest('hex')
    .slice(0, 10);
  return {
    ...template,
    metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [REVISION_LABEL]: revision } },
  };
}

/** @returns undefined where there is no workload, or one whose template was never named */
export const revisionOf = (workload: Workload | undefined): string | undefined =>
  workload?.spec?.template?.metadata?.labels?.[REVISION_LABEL];

/** @returns the stamp of the newest restart of all pods, if there ever was one */
export const restartedAt = (workload: Workload | undefined): string | undefined =>
  workload?.spec?.template?.metadata?.annotations?.[RESTARTED_AT];

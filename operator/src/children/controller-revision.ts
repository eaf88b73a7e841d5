/** Keeps the pod template of one revision of the MCP workload, so that the workload can go back to it. */
import type { V1ControllerRevision, V1PodTemplateSpec } from '@kubernetes/client-node';
import { z } from 'zod';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import { childMeta } from './child.ts';
import { bareTemplate, REVISION_LABEL } from './revision.ts';

/** Written by this operator alone, so its shape is not checked any deeper. */
const podTemplate = z.custom<V1PodTemplateSpec>(
  (value) => z.looseObject({ spec: z.looseObject({ containers: z.array(z.unknown()) }) }).safeParse(value).success,
);
const stored = z.looseObject({ data: z.looseObject({ template: podTemplate }) });

export const revisionName = (klingApi: KlingApi, revision: string): string =>
  `${childNames(klingApi.metadata.name).mcp}-${revision}`;

/** @param template the template as it is applied; stamps are not kept */
export function controllerRevision(
  klingApi: KlingApi,
  revision: string,
  template: V1PodTemplateSpec,
): V1ControllerRevision & { metadata: ReturnType<typeof childMeta> } {
  const metadata = childMeta(klingApi, revisionName(klingApi, revision), 'mcp');
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { ...metadata, labels: { ...metadata.labels, [REVISION_LABEL]: revision } },
    data: { template: bareTemplate(template) },
    revision: klingApi.metadata.generation,
  };
}

/** @returns undefined where the object holds no template that this operator wrote */
export function templateOf(object: object | undefined): V1PodTemplateSpec | undefined {
  const parsed = stored.safeParse(object);
  return parsed.success ? parsed.data.data.template : undefined;
}

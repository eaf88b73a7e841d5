/** Values that say what the operator watches, and with which rights. */
import { z } from 'zod';
import { objectName } from './names.ts';

export const strings = z.record(z.string(), z.string());

export const scope = z
  .enum(['cluster', 'namespace'])
  .default('cluster')
  .describe(
    'cluster: watches every namespace, with a ClusterRole. namespace: watches only watchNamespaces, with a Role in each of them and nothing that is cluster-wide but the CRD.',
  );

export const watchNamespaces = z
  .array(z.string().max(63))
  .default([])
  .describe("For the scope namespace; the release's own namespace when empty.");

export const crds = z.strictObject({
  install: z
    .boolean()
    .default(true)
    .describe(
      'Installs the CustomResourceDefinition and upgrades it. It is cluster-wide and is kept when the release is uninstalled. false where another release or an administrator brings it.',
    ),
});

export const rbac = z.strictObject({
  create: z.boolean().default(true).describe('false where an administrator makes the roles (docs/rbac.md).'),
  aggregate: z
    .boolean()
    .default(true)
    .describe('Lets the built-in roles view, edit and admin see and change KlingApis (scope cluster only).'),
});

export const serviceAccount = z.strictObject({
  create: z.boolean().default(true).describe('false where the ServiceAccount is there already; then `name` is needed.'),
  name: objectName.default('').describe("Name; made from the release's without it."),
  annotations: strings.default({}).describe('Its annotations.'),
});

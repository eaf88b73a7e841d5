/** Values that say where images come from. */
import { z } from 'zod';

const tag = z
  .string()
  .max(128)
  .regex(/^(\w[\w.-]*)?$/);

const one = (repository: string, what: string) =>
  z.strictObject({
    registry: z.string().default('').describe(`Registry of ${what}; that of \`image\` without it.`),
    repository: z.string().min(1).default(repository).describe('Its name there.'),
    tag: tag.default('').describe('Its tag; that of `image` without it.'),
    digest: z.string().default('').describe('Its digest, as sha256:…; goes before the tag.'),
  });

export const image = z
  .strictObject({
    registry: z
      .string()
      .default('')
      .describe(
        'Required: the registry, with any path, that holds kling-operator, kling-mcp, kling-api, kling-sandbox and kling-probe, for example registry.example.com/team. `npm run images -- push REGISTRY` fills one.',
      ),
    tag: tag.default('').describe("Tag of all five images; the chart's appVersion without it."),
    pullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .default('IfNotPresent')
      .describe("Always, IfNotPresent or Never; for the operator's pod and for the pods that it makes."),
    pullSecrets: z
      .array(z.strictObject({ name: z.string().min(1) }))
      .default([])
      .describe(
        'Secrets for pulling, as [{ name: my-secret }]. They must exist in the namespace of the release and of each KlingApi.',
      ),
  })
  .describe('Where the images come from.');

export const images = z
  .strictObject({
    operator: one('kling-operator', 'the operator'),
    mcp: one('kling-mcp', 'the MCP server'),
    api: one('kling-api', 'the API'),
    sandbox: one('kling-sandbox', 'the sandbox'),
    probe: one('kling-probe', 'the probe'),
  })
  .describe('One image elsewhere or at another version.');

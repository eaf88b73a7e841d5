/** Values of `helm test`. */
import { z } from 'zod';

const klingApi = z.strictObject({
  name: z.string().min(1).max(40),
  namespace: z.string().max(63).optional(),
  url: z.string().optional(),
  keySecretRef: z.strictObject({ name: z.string().min(1), key: z.string().min(1) }).optional(),
  anonymous: z.boolean().optional(),
});

export const tests = z
  .strictObject({
    sandbox: z
      .boolean()
      .default(true)
      .describe(
        'Makes a KlingApi on the sandbox for as long as the test runs, in the first watched namespace (scope cluster: in that of the release), and does an MCP handshake with it: it costs nothing and shows that the whole installation works.',
      ),
    klingApis: z
      .array(klingApi)
      .default([])
      .describe(
        'KlingApis of yours to do a handshake with, as [{ name: studio, namespace: media }]. Without more: at the Service of that name, with the key `default` of its Secret `studio-callers`. `url` and `keySecretRef: { name, key }` name others, `anonymous: true` sends no key.',
      ),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(3600)
      .default(240)
      .describe('Until a test counts as failed; the `--timeout` of `helm test` (5 minutes) should be longer.'),
  })
  .describe('What `helm test` does, beside asking the operator whether it is ready.');

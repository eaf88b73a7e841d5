import { processVariables } from '@klingapi/management';
import { z } from 'zod';
import { eraPolicySchema } from './report.ts';

/** The environment of the sidecar. */
export const environmentSchema = z.object({
  ...processVariables,
  PROBE_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:5510/mcp/v1')
    .describe('The endpoint to shake hands with'),
  PROBE_HOST: z.string().optional().describe('Host header to send, host:port'),
  PROBE_HEADERS_DIR: z.string().optional().describe('Folder with one file a header: name, value'),
  PROBE_ERAS: eraPolicySchema.default('Any').describe('Eras of the protocol that have to work'),
  PROBE_TIMEOUT_SECONDS: z.coerce.number().positive().max(300).default(3).describe('Of one handshake'),
});

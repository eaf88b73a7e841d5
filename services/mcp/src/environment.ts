import { processVariables } from '@klingapi/management';
import { z } from 'zod';

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** What the rules between variables look at; loose, because they run beside the problems of single ones. */
const related = z.object({ AUTH: z.unknown(), CALLERS_DIR: z.unknown(), INTERNAL_KEY: z.unknown() }).partial();

function neededByCallers(name: 'CALLERS_DIR' | 'INTERNAL_KEY') {
  return (env: unknown): boolean => {
    const seen = related.safeParse(env).data;
    return seen?.AUTH !== 'callers' || seen[name] !== undefined;
  };
}
/** All problems are told at once, not the rules after the single variables. */
const when = () => true;

/** The environment of the MCP process; `docs/design/contracts.md` says what each variable means. */
export const environmentSchema = z
  .object({
    ...processVariables,
    PORT: z.coerce.number().int().min(0).max(65535).default(5510),
    MCP_PATH: z.string().startsWith('/').default('/mcp/v1'),
    API_URL: z.url({ protocol: /^https?$/ }),
    // No default: who forgets it shall not serve everybody.
    AUTH: z.enum(['callers', 'none']),
    CALLERS_DIR: z.string().optional(),
    INTERNAL_KEY: z
      .string()
      .refine((key) => Buffer.byteLength(key) >= 32, 'needs at least 32 bytes')
      .optional(),
    ALLOWED_HOSTS: list.default([]),
    ALLOWED_ORIGINS: list.default([]),
    HANDSHAKE_TIMEOUT_SECONDS: z.coerce.number().positive().max(300).default(3),
  })
  .refine(neededByCallers('CALLERS_DIR'), { path: ['CALLERS_DIR'], message: 'needed for AUTH=callers', when })
  .refine(neededByCallers('INTERNAL_KEY'), { path: ['INTERNAL_KEY_FILE'], message: 'needed for AUTH=callers', when });

import { commaList, hostList, originList, processVariables } from '@klingapi/management';
import { z } from 'zod';
import { DEFAULT_LIMITS } from './limits.ts';
import { isAllowedEgress } from './oauth/fetch-json.ts';
import { ALL_TOOLSETS, TOOLSETS, type Toolsets } from './tools/toolsets.ts';

const scopes = commaList.refine(
  (all) => all.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)),
  'each is a scope of the issuer, without spaces, quotes or backslashes; commas separate them',
);
const toolsets = commaList
  .refine(
    (all) => all.every((name) => TOOLSETS.some((known) => known === name)),
    `each is one of ${TOOLSETS.join(', ')}; commas separate them`,
  )
  .transform((all): Toolsets => new Set(TOOLSETS.filter((name) => all.includes(name))));
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** What the rules between variables look at; loose, because they run beside the problems of single ones. */
const related = z.record(z.string(), z.unknown());
/** Variables (left) that an authentication takes. */
const NEEDED = [
  ['CALLERS_DIR', 'CALLERS_DIR', 'callers'],
  ['INTERNAL_KEY', 'INTERNAL_KEY_FILE', 'callers'],
  ['INTERNAL_KEY', 'INTERNAL_KEY_FILE', 'oauth'],
  ['OAUTH_ISSUER', 'OAUTH_ISSUER', 'oauth'],
  ['PUBLIC_URL', 'PUBLIC_URL', 'oauth'],
] as const;

function checkRelated(parsed: unknown, context: z.RefinementCtx): void {
  const env = related.safeParse(parsed).data ?? {};
  for (const [name, shown, auth] of NEEDED) {
    if (env['AUTH'] !== auth || env[name] !== undefined) continue;
    context.addIssue({ code: 'custom', path: [shown], message: `needed for AUTH=${auth}` });
  }
  const issuer = env['OAUTH_ISSUER'];
  const allowHttp = env['OAUTH_ALLOW_HTTP'] === true;
  if (typeof issuer === 'string' && URL.canParse(issuer) && !isAllowedEgress(new URL(issuer), allowHttp)) {
    const message =
      'has to be https; http only to this machine, to a Service of the cluster (.svc), or to any with OAUTH_ALLOW_HTTP=true';
    context.addIssue({ code: 'custom', path: ['OAUTH_ISSUER'], message });
  }
}

/** The environment of the MCP process; `docs/design/contracts.md` says what each variable means. */
export const environmentSchema = z
  .object({
    ...processVariables,
    PORT: z.coerce.number().int().min(0).max(65535).default(5510),
    MCP_PATH: z.string().startsWith('/').default('/mcp/v1'),
    API_URL: z.url({ protocol: /^https?$/ }),
    // No default: who forgets it shall not serve everybody.
    AUTH: z.enum(['callers', 'oauth', 'none']),
    CALLERS_DIR: z.string().optional(),
    INTERNAL_KEY: z
      .string()
      .refine((key) => Buffer.byteLength(key) >= 32, 'needs at least 32 bytes')
      .optional(),
    OAUTH_ISSUER: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/[?#]/.test(url), 'has no query and no fragment')
      .optional(),
    OAUTH_AUDIENCE: z.string().max(1024).optional(),
    OAUTH_SCOPES: scopes.default([]),
    OAUTH_ALLOW_HTTP: flag.default(false),
    PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/[?#]/.test(url), 'has no query and no fragment')
      .optional(),
    ALLOWED_HOSTS: hostList.default([]),
    ALLOWED_ORIGINS: originList.default([]),
    HANDSHAKE_TIMEOUT_SECONDS: z.coerce.number().positive().max(300).default(3),
    TOOLSETS: toolsets.default(ALL_TOOLSETS),
    MAX_BODY_BYTES: z.coerce
      .number()
      .int()
      .min(1024)
      .max(1024 ** 3)
      .default(DEFAULT_LIMITS.maxBodyBytes),
    MAX_CONCURRENT_PER_CALLER: z.coerce.number().int().min(1).max(100_000).default(DEFAULT_LIMITS.maxConcurrent),
    MAX_CONCURRENT_BODY_BYTES_PER_CALLER: z.coerce
      .number()
      .int()
      .min(1024)
      .default(DEFAULT_LIMITS.maxConcurrentBodyBytes),
    MAX_REQUEST_SECONDS: z.coerce.number().positive().max(86_400).default(DEFAULT_LIMITS.maxRequestSeconds),
  })
  // All problems are told at once, not the rules after the single variables.
  .superRefine(checkRelated, { when: () => true });

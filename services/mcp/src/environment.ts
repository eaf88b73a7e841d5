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
    PORT: z.coerce.number().int().min(0).max(65535).default(5510).describe('Port of traffic; 0 picks one'),
    MCP_PATH: z.string().startsWith('/').default('/mcp/v1').describe('Path of the endpoint'),
    API_URL: z.url({ protocol: /^https?$/ }).describe('Where the API service is, such as http://studio-api:5511'),
    // No default: who forgets it shall not serve everybody.
    AUTH: z
      .enum(['callers', 'oauth', 'none'])
      .describe('Who may call: those in CALLERS_DIR, those with a token of OAUTH_ISSUER, or everybody. No default'),
    CALLERS_DIR: z.string().optional().describe('Needed for AUTH=callers: a folder with one file a caller'),
    INTERNAL_KEY: z
      .string()
      .refine((key) => Buffer.byteLength(key) >= 32, 'needs at least 32 bytes')
      .optional()
      .describe('Key of the assertions between the services, at least 32 bytes as text; needed for callers and oauth'),
    OAUTH_ISSUER: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/[?#]/.test(url), 'has no query and no fragment')
      .optional()
      .describe(
        'Needed for AUTH=oauth: the issuer exactly as it names itself (iss), https; http only to this machine and to Services of the cluster (.svc)',
      ),
    OAUTH_AUDIENCE: z
      .string()
      .max(1024)
      .optional()
      .describe('aud of accepted tokens; absent: the public address of the endpoint (PUBLIC_URL and MCP_PATH)'),
    OAUTH_SCOPES: scopes
      .default([])
      .describe('Comma list of scopes that a token has to carry; without it every token may do everything'),
    OAUTH_ALLOW_HTTP: flag.default(false).describe('The issuer and its keys may be http anywhere'),
    PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/[?#]/.test(url), 'has no query and no fragment')
      .optional()
      .describe('Needed for AUTH=oauth: where clients reach this service, with or without MCP_PATH at its end'),
    ALLOWED_HOSTS: hostList
      .default([])
      .describe(
        'Comma list of Host names (without port) besides localhost, 127.0.0.1, [::1] and the host of PUBLIC_URL; * allows all',
      ),
    ALLOWED_ORIGINS: originList
      .default([])
      .describe(
        'Comma list; an Origin that is present and not listed is 403, pages of a listed one may read the replies (CORS)',
      ),
    HANDSHAKE_TIMEOUT_SECONDS: z.coerce.number().positive().max(300).default(3).describe('Of the readiness handshake'),
    TOOLSETS: toolsets
      .default(ALL_TOOLSETS)
      .describe(
        'Comma list of tools that are offered, with their prompts: images, videos, try-on, sounds, library; those for tasks and the catalogue always are',
      ),
    MAX_BODY_BYTES: z.coerce
      .number()
      .int()
      .min(1024)
      .max(1024 ** 3)
      .default(DEFAULT_LIMITS.maxBodyBytes)
      .describe('Longest body of a request'),
    MAX_CONCURRENT_PER_CALLER: z.coerce
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(DEFAULT_LIMITS.maxConcurrent)
      .describe('Requests of one caller that are open at a time; more are 429'),
    MAX_CONCURRENT_BODY_BYTES_PER_CALLER: z.coerce
      .number()
      .int()
      .min(1024)
      .default(DEFAULT_LIMITS.maxConcurrentBodyBytes)
      .describe('Bodies of those together'),
    MAX_REQUEST_SECONDS: z.coerce
      .number()
      .positive()
      .max(86_400)
      .default(DEFAULT_LIMITS.maxRequestSeconds)
      .describe(
        'Longest time of a request or stream; then a call ends with an error in words, a stream with its connection',
      ),
  })
  // All problems are told at once, not the rules after the single variables.
  .superRefine(checkRelated, { when: () => true });

import { parseEnvironment } from '@klingapi/management';
import { describe, expect, it } from 'vitest';
import { environmentSchema } from './environment.ts';

const KEY = 'an-internal-key-of-at-least-32-bytes';
const oauth = {
  AUTH: 'oauth',
  API_URL: 'http://studio-api:5511',
  INTERNAL_KEY: KEY,
  OAUTH_ISSUER: 'https://login.example/realms/kling',
  PUBLIC_URL: 'https://kling.example',
};
const problems = (env: Record<string, string>) => {
  const parsed = parseEnvironment(environmentSchema, env);
  return parsed.ok ? [] : parsed.problems;
};

describe('the environment', () => {
  it('for OAuth needs issuer, public address and internal key, and no more', () => {
    expect(problems(oauth)).toEqual([]);
    expect(problems({ AUTH: 'oauth', API_URL: oauth.API_URL })).toEqual([
      'INTERNAL_KEY_FILE: needed for AUTH=oauth',
      'OAUTH_ISSUER: needed for AUTH=oauth',
      'PUBLIC_URL: needed for AUTH=oauth',
    ]);
  });

  it('takes an issuer over http only from this machine, or by explicit setting', () => {
    const http = { ...oauth, OAUTH_ISSUER: 'http://login.example' };
    expect(problems(http)).toEqual([
      'OAUTH_ISSUER: has to be https; http only to this machine, to a Service of the cluster (.svc), or to any with OAUTH_ALLOW_HTTP=true',
    ]);
    expect(problems({ ...http, OAUTH_ALLOW_HTTP: 'true' })).toEqual([]);
    expect(problems({ ...oauth, OAUTH_ISSUER: 'http://127.0.0.1:8080' })).toEqual([]);
    expect(problems({ ...oauth, OAUTH_ISSUER: 'http://keycloak.auth.svc:8080/realms/kling' })).toEqual([]);
    expect(problems({ ...oauth, OAUTH_ISSUER: 'http://evil.example/.svc' })).toHaveLength(1);
    expect(problems({ ...oauth, OAUTH_ISSUER: 'https://login.example?x=1' })).toHaveLength(1);
  });

  it.each([
    ['ALLOWED_ORIGINS', 'https://app.example, vscode-webview://x', true],
    ['ALLOWED_ORIGINS', 'https://app.example:8443', true],
    // Joined from one origin with a comma in it.
    ['ALLOWED_ORIGINS', 'https://a,b.example', false],
    ['ALLOWED_ORIGINS', 'https://app.example/path', false],
    ['ALLOWED_ORIGINS', 'https://App.example', false],
    ['ALLOWED_ORIGINS', 'null', false],
    ['ALLOWED_HOSTS', 'studio-mcp, studio-mcp.team.svc, 10.0.0.1, [::1]', true],
    ['ALLOWED_HOSTS', '*', true],
    ['ALLOWED_HOSTS', 'studio-mcp:5510', false],
    ['OAUTH_SCOPES', 'kling:read, kling:create', true],
    ['OAUTH_SCOPES', 'kling:read kling:create', false],
    ['TOOLSETS', 'images, try-on', true],
    ['TOOLSETS', 'images, music', false],
    ['MAX_CONCURRENT_PER_CALLER', '0', false],
    ['MAX_REQUEST_SECONDS', 'long', false],
  ])('%s=%s: %s', (name, value, good) => {
    const found = problems({ ...oauth, [name]: value });
    expect(found.map((problem) => problem.split(':')[0])).toEqual(good ? [] : [name]);
  });

  it('says what is wrong with an origin that holds a comma', () => {
    expect(problems({ ...oauth, ALLOWED_ORIGINS: 'https://a,b.example' })[0]).toContain(
      'an origin cannot hold a comma, because commas separate them',
    );
  });
});

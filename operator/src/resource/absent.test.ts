import { describe, expect, it } from 'vitest';
import { klingApiOf } from '../testing.ts';
import { mcpAuth, oauthAudience, ownedReplicas, publicHosts, publicUrl, s3Store, sqliteStorage } from './absent.ts';

const autoscaling = { min: 3, max: 6, cpuPercent: 70 };

describe('who says how many pods there are', () => {
  it.each([
    ['nothing set: free after creation', {}, { owned: undefined, initial: 2 }],
    ['replicas: owned', { replicas: 5 }, { owned: 5, initial: 5 }],
    ['no pods at all are a number too', { replicas: 0 }, { owned: 0, initial: 0 }],
    ['autoscaling: never owned, within its bounds at creation', { autoscaling }, { owned: undefined, initial: 3 }],
    ['autoscaling wins over replicas', { autoscaling, replicas: 5 }, { owned: undefined, initial: 5 }],
    ['more replicas than autoscaling allows', { autoscaling, replicas: 9 }, { owned: undefined, initial: 6 }],
  ])('%s', (_, mcp, expected) => {
    expect(ownedReplicas('mcp', klingApiOf({ mcp }).spec)).toEqual(expected);
  });

  it('the API begins with one', () => {
    expect(ownedReplicas('api', klingApiOf().spec)).toEqual({ owned: undefined, initial: 1 });
  });
});

describe('the address from outside', () => {
  const ingress = { host: 'kling.example.com' };
  const httpRoute = { parentRefs: [{ name: 'edge' }], hostnames: ['one.example.com', 'two.example.com'] };
  it.each([
    ['none', undefined, undefined, []],
    [
      'as given',
      { url: 'https://a.example.com:8443', ingress },
      'https://a.example.com:8443',
      ['a.example.com', 'kling.example.com'],
    ],
    ['of a plain ingress', { ingress }, 'http://kling.example.com', ['kling.example.com']],
    [
      'of an ingress with TLS',
      { ingress: { ...ingress, tlsSecretName: 'tls' } },
      'https://kling.example.com',
      ['kling.example.com'],
    ],
    ['of a route', { httpRoute }, 'https://one.example.com', ['one.example.com', 'two.example.com']],
    [
      'of both',
      { ingress, httpRoute },
      'http://kling.example.com',
      ['kling.example.com', 'one.example.com', 'two.example.com'],
    ],
  ])('%s', (_, expose, url, hosts) => {
    const { spec } = klingApiOf(expose === undefined ? {} : { expose });
    expect([publicUrl(spec), publicHosts(spec)]).toEqual([url, hosts]);
  });

  it('is the audience of tokens where no other is named', () => {
    const oauth = { issuer: 'https://id.example.com' };
    const { spec } = klingApiOf({ expose: { ingress }, mcp: { auth: { oauth } } });
    expect([mcpAuth(spec), oauthAudience(spec)]).toEqual(['oauth', 'http://kling.example.com/mcp/v1']);
  });
});

describe('storage', () => {
  it('is SQLite on a retained claim unless PostgreSQL is named', () => {
    expect(sqliteStorage(klingApiOf().spec)).toEqual({ size: '1Gi', reclaim: 'Retain' });
    const storage = { postgres: { urlSecretRef: { name: 'db', key: 'url' } } };
    expect(sqliteStorage(klingApiOf({ api: { storage } }).spec)).toBeUndefined();
  });

  it.each([
    ['Amazon', { region: 'eu-central-1' }, 'https://s3.eu-central-1.amazonaws.com', 'eu-central-1', false],
    ['Amazon in China', { region: 'cn-north-1' }, 'https://s3.cn-north-1.amazonaws.com.cn', 'cn-north-1', false],
    ['another', { endpoint: 'http://minio:9000/' }, 'http://minio:9000', 'us-east-1', true],
    [
      'another with hosts',
      { endpoint: 'https://o.example', forcePathStyle: false },
      'https://o.example',
      'us-east-1',
      false,
    ],
  ])('of results: %s', (_, s3, endpoint, region, forcePathStyle) => {
    const key = { name: 's3', key: 'k' };
    const keys = { accessKeyIdSecretRef: key, secretAccessKeySecretRef: key };
    expect(s3Store({ bucket: 'results', ...keys, ...s3 })).toEqual({ endpoint, region, forcePathStyle });
  });
});

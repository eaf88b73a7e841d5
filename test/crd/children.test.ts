/** Children on the real API server: what comes and goes with each block, what is undone and what stays. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, kubectl, tryKubectl } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { type LocalOperator, startOperator } from './operator.ts';

let operator: LocalOperator;
beforeAll(async () => {
  operator = await startOperator('children');
});
afterAll(() => operator?.stop());

const upstream = { provider: 'Sandbox' };
const secret = (name: string, data: Record<string, string>, kind = 'Secret'): Promise<string> =>
  kubectl(
    ['apply', '-n', operator.namespace, '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, [kind === 'Secret' ? 'stringData' : 'data']: data }),
  );
const patch = (kind: string, name: string, change: unknown, type = 'json'): Promise<string> =>
  kubectl(['patch', kind, name, '-n', operator.namespace, `--type=${type}`, '-p', JSON.stringify(change)]);
const settled = (name: string, expected: string[]): Promise<unknown> =>
  waitFor(
    async () => {
      const seen = await operator.children(name);
      expect(seen).toEqual([...expected].sort());
      return true;
    },
    { what: `the children of ${name}`, timeoutMs: 30_000, everyMs: 300 },
  );
const condition = (object: Json, type: string): Json | undefined =>
  object.status?.conditions?.find((entry: Json) => entry.type === type);
const stampOf = (workload: Json): string | undefined =>
  workload.spec.template.metadata.annotations?.['klingapi.dev/inputs'];
const postgres = (name: string) => ({ storage: { postgres: { urlSecretRef: { name, key: 'url' } } } });

const always = (name: string): string[] => [
  `Deployment ${name}-mcp`,
  `Deployment ${name}-sandbox`,
  `PodDisruptionBudget ${name}-mcp`,
  `Secret ${name}-callers`,
  `Secret ${name}-internal`,
  `Service ${name}-api`,
  `Service ${name}-mcp`,
  `Service ${name}-sandbox`,
  `ServiceAccount ${name}`,
];

describe.concurrent('the children', () => {
  it('come with their blocks and go with them', { timeout: 120_000 }, async () => {
    await secret('whole-db', { url: 'postgres://localhost/kling' });
    await operator.apply(
      {
        upstream,
        api: { ...postgres('whole-db'), autoscaling: { min: 2, max: 5, cpuPercent: 70 }, replicas: 2 },
        mcp: { autoscaling: { min: 2, max: 5, cpuPercent: 70 } },
        expose: { ingress: { host: 'kling.example', annotations: { 'example.com/a': 'b' } } },
        networkPolicy: { mode: 'Enabled', ingressFrom: [{ namespaceSelector: {} }] },
      },
      'whole',
    );
    await settled('whole', [
      ...always('whole'),
      'Deployment whole-api',
      'HorizontalPodAutoscaler whole-api',
      'HorizontalPodAutoscaler whole-mcp',
      'Ingress whole',
      'NetworkPolicy whole-api',
      'NetworkPolicy whole-mcp',
      'NetworkPolicy whole-sandbox',
      'PodDisruptionBudget whole-api',
    ]);
    const object = await operator.until(
      'klingapi',
      'whole',
      'the address',
      ({ status }) => status?.endpoints !== undefined,
    );
    expect(object.status.endpoints.mcp).toBe('http://kling.example/mcp/v1');
    await operator.apply({ upstream, api: { ...postgres('whole-db'), replicas: 1 } }, 'whole');
    await settled('whole', [...always('whole'), 'Deployment whole-api']);
  });

  it('a claim is owned or not as reclaim says, and stays or goes when PostgreSQL takes over', {
    timeout: 120_000,
  }, async () => {
    const owners = ({ metadata }: Json): number => metadata.ownerReferences?.length ?? 0;
    const sqlite = (reclaim: string, replicas: number) => ({ replicas, storage: { sqlite: { reclaim } } });
    await secret('moved-db', { url: 'postgres://localhost/kling' });
    for (const [reclaim, count] of [
      ['Retain', 0],
      ['Delete', 1],
      ['Retain', 0],
      ['Delete', 1],
      ['Retain', 0],
    ] as const) {
      await operator.apply({ upstream, api: sqlite(reclaim, 1) }, 'moved');
      await operator.until('pvc', 'moved-api-data', `${count} owners`, (claim) => owners(claim) === count);
    }
    const { metadata } = await operator.get('pvc', 'moved-api-data');
    await operator.apply({ upstream, api: sqlite('Retain', 0) }, 'moved');
    await operator.until('statefulset', 'moved-api', 'no pods', ({ spec }) => spec.replicas === 0);
    await operator.apply({ upstream, api: { replicas: 0, ...postgres('moved-db') } }, 'moved');
    await settled('moved', [...always('moved'), 'Deployment moved-api', 'PersistentVolumeClaim moved-api-data']);
    await operator.apply({ upstream, api: sqlite('Delete', 0) }, 'moved');
    await settled('moved', [...always('moved'), 'PersistentVolumeClaim moved-api-data', 'StatefulSet moved-api']);
    const claim = await operator.until('pvc', 'moved-api-data', 'an owner', (seen) => owners(seen) === 1);
    expect(claim.metadata.uid).toBe(metadata.uid);
    await operator.apply({ upstream, api: { replicas: 0, ...postgres('moved-db') } }, 'moved');
    // a claim that pods used is held until they are gone
    await waitFor(
      async () => {
        const { code } = await tryKubectl(['get', 'pvc', 'moved-api-data', '-n', operator.namespace]);
        return code !== 0;
      },
      { what: 'the claim to go', timeoutMs: 60_000 },
    );
  });

  it('what is missing is told by name, and the API waits for it', { timeout: 60_000 }, async () => {
    const s3 = {
      bucket: 'results',
      region: 'eu-1',
      accessKeyIdSecretRef: { name: 'none-s3', key: 'id' },
      secretAccessKeySecretRef: { name: 'none-s3', key: 'secret' },
    };
    const told = (reason: string, message: RegExp) =>
      operator.until('klingapi', 'none', `${reason} ${message}`, (object) => {
        const seen = condition(object, 'Reconciling');
        return seen?.reason === reason && message.test(seen.message);
      });
    const spec = (more: object) => ({ upstream, api: { ...postgres('none-db'), results: { s3 }, ...more } });
    await operator.apply(spec({}), 'none');
    await told('MissingSecret', /Secret none-db does not exist .*spec\.api\.storage\.postgres\.urlSecretRef/);
    expect(await operator.children('none')).not.toContain('Deployment none-api');
    await secret('none-db', { address: 'x' });
    await secret('none-s3', { id: 'x' });
    await operator.apply(
      spec({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none-flags', key: 'a' } } }] }),
      'none',
    );
    await told('MissingSecret', /Secret none-db has no key "url"/);
  });

  it('a foreign edit of an owned field is undone within seconds, on every kind', { timeout: 120_000 }, async () => {
    await secret('edited-db', { url: 'postgres://localhost/kling' });
    await operator.apply(
      {
        upstream,
        api: { ...postgres('edited-db'), autoscaling: { min: 2, max: 5, cpuPercent: 70 } },
        mcp: { replicas: 3 },
        expose: { ingress: { host: 'edited.example' } },
        networkPolicy: { mode: 'Enabled', ingressFrom: [{ namespaceSelector: {} }] },
      },
      'edited',
    );
    const edits: [kind: string, name: string, path: string, value: unknown][] = [
      ['deployment', 'edited-mcp', '/spec/template/spec/containers/0/image', 'localhost/other:dev'],
      ['deployment', 'edited-mcp', '/spec/replicas', 7],
      ['deployment', 'edited-api', '/spec/template/spec/containers/0/readinessProbe/periodSeconds', 77],
      ['deployment', 'edited-sandbox', '/spec/replicas', 3],
      ['service', 'edited-mcp', '/spec/ports/0/port', 99],
      ['service', 'edited-api', '/metadata/labels/app.kubernetes.io~1component', 'other'],
      ['serviceaccount', 'edited', '/automountServiceAccountToken', true],
      ['hpa', 'edited-api', '/spec/maxReplicas', 50],
      ['pdb', 'edited-mcp', '/spec/maxUnavailable', 3],
      ['networkpolicy', 'edited-mcp', '/spec/ingress/0/ports/0/port', 1],
      ['ingress', 'edited', '/spec/rules/0/http/paths/0/path', '/elsewhere'],
    ];
    const at = (object: Json, path: string): unknown =>
      path
        .slice(1)
        .split('/')
        .reduce((found, key) => found[key.replaceAll('~1', '/')], object);
    for (const [kind, name, path, value] of edits) {
      const before = await waitFor(() => operator.get(kind, name), { what: `${kind} ${name}`, timeoutMs: 30_000 });
      await patch(kind, name, [{ op: 'replace', path, value }]);
      await operator.until(
        kind,
        name,
        `${path} to be as it was`,
        (object) => at(object, path) === at(before, path),
        10_000,
      );
    }
  });

  it('what is not ours stays', { timeout: 60_000 }, async () => {
    await operator.apply({ upstream }, 'free');
    await operator.until('deployment', 'free-mcp', 'to be handed over', ({ spec }) => spec.replicas === 2);
    await kubectl(['scale', 'deployment', 'free-mcp', '--replicas=4', '-n', operator.namespace]);
    await kubectl(['rollout', 'restart', 'deployment', 'free-mcp', '-n', operator.namespace]);
    await kubectl(['label', 'deployment', 'free-mcp', 'team=media', '-n', operator.namespace]);
    await patch('deployment', 'free-mcp', [
      { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'mesh', image: 'localhost/mesh:dev' } },
    ]);
    // an edit of ours that comes after them all makes another apply
    await operator.apply({ upstream, mcp: { allowedOrigins: ['https://a.example'] } }, 'free');
    const { spec, metadata } = await operator.until('deployment', 'free-mcp', 'the new origin', ({ spec }) =>
      spec.template.spec.containers[0].env.some((entry: Json) => entry.name === 'ALLOWED_ORIGINS'),
    );
    expect(spec.replicas).toBe(4);
    expect(spec.template.metadata.annotations['kubectl.kubernetes.io/restartedAt']).toBeDefined();
    expect(spec.template.spec.containers.map((entry: Json) => entry.name)).toEqual(['mcp', 'mesh']);
    expect(metadata.labels.team).toBe('media');
  });

  it('five API pods go over to autoscaling and back, and the number never falls', { timeout: 120_000 }, async () => {
    await secret('five-db', { url: 'postgres://localhost/kling' });
    const api = (more: object) => operator.apply({ upstream, api: { ...postgres('five-db'), ...more } }, 'five');
    const seen = new Set<number>();
    const watched = async (what: string, ask: (object: Json) => boolean): Promise<void> => {
      await operator.until('deployment', 'five-api', what, (object) => {
        seen.add(object.spec.replicas);
        return ask(object);
      });
    };
    await api({ replicas: 5 });
    await waitFor(() => operator.get('deployment', 'five-api'), { what: 'the Deployment', timeoutMs: 30_000 });
    await watched('five', ({ spec }) => spec.replicas === 5);
    await api({ replicas: 5, autoscaling: { min: 2, max: 6, cpuPercent: 80 } });
    await waitFor(() => operator.get('hpa', 'five-api'), { what: 'the autoscaler', timeoutMs: 30_000 });
    await watched('five still', ({ spec }) => spec.replicas === 5);
    await api({ replicas: 5 });
    await settled('five', [...always('five'), 'Deployment five-api', 'PodDisruptionBudget five-api']);
    await watched('five again', ({ spec }) => spec.replicas === 5);
    // unset: whatever it is stays
    await api({});
    await kubectl(['scale', 'deployment', 'five-api', '--replicas=6', '-n', operator.namespace]);
    await watched('six', ({ spec }) => spec.replicas === 6);
    expect([...seen].sort()).toEqual([5, 6]);
  });

  it('a new value makes new pods of the workload that reads it, and of no other', { timeout: 240_000 }, async () => {
    await secret('read-db', { url: 'postgres://localhost/one' });
    await secret('read-flags', { a: '1' }, 'ConfigMap');
    await secret('read-callers', { somebody: 'key-one' });
    await secret('read-hooks', { secret: 'one' });
    const both = { api: postgres('read-db'), callersSecretRef: { name: 'read-callers' } };
    const spec = {
      upstream: { ...upstream, webhookSecretRef: { name: 'read-hooks', key: 'secret' } },
      api: { ...both.api, callersSecretRef: both.callersSecretRef },
      mcp: { envFrom: [{ configMapRef: { name: 'read-flags' } }] },
    };
    const names = ['read-api', 'read-mcp', 'read-sandbox'];
    const stamps = async (): Promise<(string | undefined)[]> =>
      Promise.all(names.map(async (name) => stampOf(await operator.get('deployment', name))));
    await operator.apply(spec, 'read');
    await waitFor(async () => (await stamps()).every((stamp) => /^[0-9a-f]{32}$/.test(stamp ?? '')), {
      what: 'three stamps',
      timeoutMs: 30_000,
    });
    const [api, mcp, sandbox] = await stamps();
    await secret('read-callers', { somebody: 'key-two' });
    await secret('read-flags', { a: '2' }, 'ConfigMap');
    await operator.until('deployment', 'read-mcp', 'another stamp', (object) => stampOf(object) !== mcp, 110_000);
    const [, mcp2] = await stamps();
    expect(await stamps()).toEqual([api, mcp2, sandbox]);
    await secret('read-hooks', { secret: 'two' });
    await operator.until(
      'deployment',
      'read-sandbox',
      'another stamp',
      (object) => stampOf(object) !== sandbox,
      110_000,
    );
    await operator.until('deployment', 'read-api', 'another stamp', (object) => stampOf(object) !== api, 10_000);
    expect((await stamps())[1]).toBe(mcp2);
  });
});

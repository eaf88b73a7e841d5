/** `kubectl kling` as somebody with few rights types it: the real program, the real kubectl, real faults. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { play } from '../docs/play.ts';
import { scriptOf } from '../docs/script.ts';
import { freePort } from '../postgres/free-port.ts';
import { alive, type Case, createCase, LOCAL_IMAGES, quick } from './case.ts';
import { broken, conditioned, diagnosed, lonely, upstreamSecret } from './diagnosis.ts';
import { breakPod, FAULTY_IMAGE, faulty, hang } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { createPerson, type Person, type Rule } from './person.ts';
import { waitFor } from './wait.ts';

/** In one namespace, and of its Secrets three names. */
const RULES: Rule[] = [
  { apiGroups: ['klingapi.dev'], resources: ['klingapis'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get', 'list'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
  {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: ['studio-callers', 'studio-internal', 'absent-tls'],
    verbs: ['get'],
  },
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: ['get', 'list'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['list'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['get'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
];
const VIEWER: Rule[] = [{ apiGroups: ['klingapi.dev'], resources: ['klingapis'], verbs: ['get', 'list'] }];

const off = { mode: 'Off' };
const well = { image: FAULTY_IMAGE, server: 'Kling' };
const exposed = (host: string, more: Record<string, unknown> = {}) => ({
  ...lonely(well),
  expose: { ingress: { host, className: 'nobody', ...more } },
});
const full = (upstream: string, key: string): Record<string, unknown> => ({
  upstream: { provider: 'Custom', endpoint: `http://${upstream}:5512`, apiKeySecretRef: { name: 'upstream', key } },
  mcp: { replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 } },
  remediation: off,
});

const image = (name: string): string =>
  `localhost/${name}:${LOCAL_IMAGES.find((value) => value.startsWith('image.tag='))?.slice(10)}`;
const upstream = [
  {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'upstream', labels: { app: 'upstream' } } },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          ...{ name: 'sandbox', image: image('kling-sandbox'), imagePullPolicy: 'Never' },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  },
  ...['upstream', 'gone'].map((name) => ({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
    spec: { selector: { app: name }, ports: [{ port: 5512 }] },
  })),
];

const script = await scriptOf('docs/kubectl-kling.md');
/** Its commands need each other. */
const handshake = script.commands('Does it speak MCP?');
let kase: Case;
let person: Person;
beforeAll(async () => {
  kase = await createCase('plugin');
  person = await createPerson(kase, 'person', RULES);
  await upstreamSecret(kase, { any: 'any-key', bad: 'bad-key' });
  await kubectl(['apply', '-n', kase.namespace, '-f', '-'], upstream.map((object) => stringify(object)).join('---\n'));
  await kase.apply(quick(well, { mcp: { ...well, replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 } } }));
  await kase.ready('studio', 280_000);
}, 300_000);
afterAll(async () => {
  await person?.remove();
  await kase?.remove();
});

const mcpPod = async (name: string): Promise<Json> => alive(await kase.mcpPods(name))[0];
const operator = (replicas: number): Promise<string> =>
  kubectl(['scale', 'deployment/operator-kling-operator', '-n', kase.namespace, `--replicas=${replicas}`]);

interface Fault {
  name: string;
  /** Makes the fault, in a KlingApi of its own where nothing else is said. */
  make(name: string): Promise<unknown>;
  layer: string;
  reason: string;
  words: RegExp;
  /** What has to be among the next commands. */
  next: RegExp;
}

const FAULTS: Fault[] = [
  {
    name: 'no-image',
    make: (name) => kase.apply(lonely({ image: 'localhost/nobody:none', server: 'Kling' }), name),
    ...{
      layer: 'Pods',
      reason: 'ImagePull',
      words: /localhost\/nobody:none/,
      next: /^kubectl describe pod no-image-mcp-/,
    },
  },
  {
    name: 'crashing',
    make: (name) => kase.apply(lonely({ ...well, command: ['/usr/bin/node', '-e', 'process.exit(3)'] }), name),
    ...{
      layer: 'Pods',
      reason: 'CrashLoop',
      words: /last with exit code 3/,
      next: /^kubectl logs crashing-mcp-.* --previous/,
    },
  },
  {
    name: 'no-callers',
    make: (name) =>
      kase.apply({ ...lonely(well), api: { replicas: 0, callersSecretRef: { name: 'nobodys-callers' } } }, name),
    ...{
      layer: 'Pods',
      reason: 'MissingSecret',
      words: /nobodys-callers/,
      next: /^kubectl describe pod no-callers-mcp-/,
    },
  },
  {
    name: 'dead-manager',
    make: (name) => kase.apply({ ...lonely(broken('session-manager')), remediation: off }, name),
    ...{
      layer: 'Handshake',
      reason: 'SessionManagerDown',
      words: /HTTP 500: .*Task group is not initialized/,
      next: /^kubectl logs dead-manager-mcp-/,
    },
  },
  {
    name: 'hung',
    async make(name) {
      await kase.apply({ ...lonely(well), remediation: off }, name);
      await diagnosed(kase, name, undefined);
      await hang(kase, await mcpPod(name));
    },
    ...{
      layer: 'Handshake',
      reason: 'ProcessHung',
      words: /was accepted but not answered/,
      next: /^kubectl logs hung-mcp-/,
    },
  },
  {
    name: 'no-class',
    make: (name) => kase.apply(exposed('no-class.example.com'), name),
    ...{
      layer: 'Exposure',
      reason: 'NobodyServesIngress',
      words: /class "nobody"/,
      next: /^kubectl describe ingress no-class/,
    },
  },
  {
    name: 'no-certificate',
    make: (name) => kase.apply(exposed('no-certificate.example.com', { tlsSecretName: 'absent-tls' }), name),
    ...{
      layer: 'Exposure',
      reason: 'TlsSecretMissing',
      words: /absent-tls/,
      next: /^kubectl create secret tls absent-tls/,
    },
  },
  {
    name: 'stray-service',
    async make(name) {
      await kase.apply({ ...lonely(well), paused: false }, name);
      await diagnosed(kase, name, undefined);
      expect((await person.kling('pause', name)).code).toBe(0);
      await kubectl([
        'patch',
        'service',
        `${name}-mcp`,
        '-n',
        kase.namespace,
        '-p',
        '{"spec":{"selector":{"klingapi.dev/name":"other"}}}',
      ]);
    },
    ...{
      layer: 'Service',
      reason: 'SelectorMatchesNothing',
      words: /klingapi\.dev\/name=other/,
      next: /^kubectl get service stray-service-mcp/,
    },
  },
  {
    name: 'bad-key',
    make: (name) => kase.apply(full('upstream', 'bad'), name),
    ...{ layer: 'Upstream', reason: 'UpstreamKeyInvalid', words: /Custom:/, next: /kubectl edit secret upstream/ },
  },
  {
    name: 'no-upstream',
    make: (name) => kase.apply(full('gone', 'any'), name),
    ...{ layer: 'Upstream', reason: 'UpstreamDown', words: /Custom:/, next: /^kubectl kling verify no-upstream/ },
  },
  {
    name: 'no-api',
    async make(name) {
      await kase.apply(full('upstream', 'any'), name);
      await conditioned(kase, name, 'ApiAvailable', 'PodsReady');
      const labels = `klingapi.dev/name=${name},app.kubernetes.io/component=api`;
      await hang(kase, alive((await getJson(['get', 'pods', '-n', kase.namespace, '-l', labels])).items)[0], 'api');
    },
    ...{ layer: 'API', reason: 'ApiDown', words: /no answer in time/, next: /--component api$/ },
  },
];

const doctor = async (name: string): Promise<Json> => {
  const result = await person.kling('doctor', name, '-o', 'json');
  if (result.stdout === '') throw new Error(result.stderr);
  return { ...JSON.parse(result.stdout), code: result.code };
};

/** A machine that has too much to do starves the operator as well: then that is true too, and stands before the fault. */
const isStarved = ({ reason }: Json): boolean => reason === 'OperatorNotReady' || reason === 'NobodyLeads';

const found = ({ name, layer, reason }: Pick<Fault, 'name' | 'layer' | 'reason'>): Promise<Json> =>
  waitFor(
    async () => {
      const { code, findings } = await doctor(name);
      const first = findings.find((entry: Json) => entry.state === 'Broken' && !isStarved(entry));
      if (first?.layer === layer && first.reason === reason) return { ...first, code };
      throw new Error(
        JSON.stringify(findings.map((entry: Json) => `${entry.layer} ${entry.state} ${entry.reason}: ${entry.seen}`)),
      );
    },
    { what: `doctor to find ${reason} of ${name} at the ${layer}`, timeoutMs: 400_000, everyMs: 2_000 },
  );

describe('kubectl kling doctor', () => {
  it('finds nothing where nothing is wrong', async () => {
    const { code, stdout } = await waitFor(
      async () => {
        const result = await person.kling('doctor', 'studio');
        if (result.stdout.includes('Nothing is broken.')) return result;
        throw new Error(result.stdout);
      },
      { what: 'a doctor who finds nothing', timeoutMs: 300_000 },
    );
    expect(stdout).toMatch(/ok +Handshake +1 pod speaks MCP \(asked just now through the API server\)/);
    expect(code).toBe(0);
  });

  it.concurrent.each(FAULTS)('finds $reason at the $layer: $name', async (fault) => {
    await fault.make(fault.name);
    const answer = await found(fault);
    expect(answer.seen).toMatch(fault.words);
    expect(
      answer.next.filter((command: string) => fault.next.test(command)),
      answer.next.join('\n'),
    ).not.toEqual([]);
    expect(answer.code).toBe(1);
    const { code, stdout } = await person.kling('doctor', fault.name);
    expect(stdout).toMatch(new RegExp(`BROKEN +${fault.layer} +${fault.reason}: `));
    expect(stdout).toMatch(/^It breaks at the /m);
    expect(code).toBe(1);
  });

  it('names the right that is missing, and tells what can be seen without it', async () => {
    const viewer = await createPerson(kase, 'viewer', VIEWER);
    try {
      const { code, stdout } = await viewer.kling('doctor', 'studio');
      expect(stdout).toMatch(/may not list pods/);
      expect(stdout).toMatch(/ok\s+KlingApi/);
      expect(code).toBe(0);
      const paused = await viewer.kling('pause', 'studio');
      expect(paused.stderr).toMatch(/^error: your account may not patch klingapis\.klingapi\.dev in namespace/);
      expect(paused.code).toBe(1);
      // the doctor has no port-forward, and says what the operator saw
      expect(stdout).toMatch(/Handshake .*\n?.*(as the operator saw it|no pod runs)/);
    } finally {
      await viewer.remove();
    }
  });
});

describe('kubectl kling', () => {
  it('makes a picture as a client does', async () => {
    const file = join(person.folder, 'kite.png');
    const { code, stdout, stderr } = await person.kling('picture', 'studio', 'a red kite', '-f', file);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/kite\.png: image\/png, \d+ bytes/);
    expect(PNG.sync.read(await readFile(file)).width).toBeGreaterThan(100);
    expect(stdout + stderr).not.toContain(await kase.callerKey());
  });

  it('tells who spends, and nothing that could be spent with', async () => {
    const { code, stdout, stderr } = await person.kling('usage', 'studio', '--since', '1h');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^default +text-to-image +\S+ +\d+ +0 +\d/m);
    expect(stdout).toMatch(/^system:verification +text-to-image/m);
    const json = await person.kling('usage', 'studio', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({ failures: [], more: false });
    const internal = (await getJson(['get', 'secret', 'studio-internal', '-n', kase.namespace])).data.key;
    for (const secret of [await kase.callerKey(), internal, Buffer.from(internal, 'base64').toString()])
      expect(stdout + stderr + json.stdout + json.stderr).not.toContain(secret);

    const plain = await person.type('kubectl kling usage studio --key-env KEY', {
      env: { KEY: await kase.callerKey() },
    });
    expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining('HTTP 403: the scope account is needed')]);
    const viewer = await createPerson(kase, 'blind', [
      ...VIEWER,
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ]);
    try {
      const refused = await viewer.kling('usage', 'studio');
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/may not get secrets .*--key-env/)]);
    } finally {
      await viewer.remove();
    }
  });

  it('does a handshake with the server behind a forwarded port, as its page says', async () => {
    const port = await freePort();
    const adapt = (command: string): string =>
      command
        .replaceAll(/\bmedia\b/g, kase.namespace)
        .replaceAll(/(?<=localhost:)5510/g, String(port))
        .replace(/ 5510 &$/, ` ${port}:5510 &`);
    const key = await kase.callerKey();
    const { stdout, stderr } = await play(handshake, {
      adapt,
      programs: [join(person.folder, 'bin')],
      env: { KUBECONFIG: join(person.folder, 'kubeconfig'), KEY: key },
    });
    expect(stdout).toMatch(/^Serving: .*\n +address +http:\/\/localhost:/);
    expect(stdout + stderr).not.toContain(key);
  });

  it('verifies when it is asked to', async () => {
    const before = (await kase.klingApi()).status.verification.at;
    const { code, stdout, stderr } = await person.kling('verify', 'studio');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('3/3 checks passed');
    expect(Date.parse((await kase.klingApi()).status.verification.at)).toBeGreaterThan(Date.parse(before));
  });

  it('asks for a repair and follows it, then reports it in both languages', async () => {
    await kase.apply(quick({ ...faulty, replicas: 1 }, { remediation: { unhealthySeconds: 300 } }));
    await kase.ready('studio', 280_000);
    await breakPod(kase, await mcpPod('studio'), 'session-manager');
    await diagnosed(kase, 'studio', 'SessionManagerDown');
    const repaired = await person.kling('repair', 'studio');
    expect(repaired.stdout).toMatch(/SessionManagerDown, RestartPod: Recovered; studio-mcp-.* took its place/);
    expect(repaired.stderr).toMatch(/PodDeleted[\s\S]*Serving[\s\S]*Verified/);
    expect(repaired.code).toBe(0);
    expect((await person.kling('report', 'studio')).stdout).toContain('**SessionManagerDown.** The session manager');
    expect((await person.kling('report', 'studio', '--lang', 'zh')).stdout).toContain('## 修复步骤');
    const history = JSON.parse((await person.kling('history', 'studio', '-o', 'json')).stdout);
    expect(history.repairs).toMatchObject([{ trigger: 'Request', outcome: 'Recovered' }]);
    expect(history.events.map(({ reason }: Json) => reason)).toContain('Repaired');
  });

  it('merges logs by time', async () => {
    const { code, stdout, stderr } = await person.kling('logs', 'studio', '--timestamps', '--since', '1h');
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    const times = lines.flatMap((line) => /^\[[^\]]+\] (\S+Z) /.exec(line)?.[1] ?? []);
    expect(times.length).toBeGreaterThan(10);
    expect(times.map((time) => time.slice(0, 19))).toEqual(times.map((time) => time.slice(0, 19)).toSorted());
    for (const component of ['studio-mcp-', 'studio-api-', 'operator-'])
      expect(
        lines.some((line) => line.startsWith(`[${component}`)),
        component,
      ).toBe(true);
  });

  it('completes what is typed, through kubectl itself', async () => {
    expect((await person.type('kubectl __complete kling doc 2>/dev/null')).stdout).toMatch(/^doctor\t/);
    expect((await person.type('kubectl __complete kling status st 2>/dev/null')).stdout).toMatch(/^studio$/m);
  });

  it('answers wrong usage with 2', async () => {
    const { code, stderr } = await person.kling('doctor', '--outptu', 'json');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*--outptu/);
  });

  it('does what its page says', async () => {
    const typed = script.commands().filter((line) => !handshake.includes(line));
    expect(typed.length).toBeGreaterThan(15);
    const here = (line: string): string =>
      line
        .replace(/\bmedia\b/g, kase.namespace)
        .replace(' -A', ` studio -n ${kase.namespace}`)
        .replaceAll('dist/kubectl-kling/', 'bin/')
        .replace('/usr/local/bin/', '.');
    for (const line of typed) {
      const { code, stderr } = await person.type(`cd ${person.folder} && ${here(line)}`);
      expect(code, `${line}: ${stderr}`).toBe(0);
    }
  });

  it('finds an operator that is scaled to 0', async () => {
    await operator(0);
    try {
      const answer = await found({ name: 'studio', layer: 'Operator', reason: 'OperatorScaledToZero' });
      expect(answer.seen).toContain('operator-kling-operator');
      expect(answer.next).toEqual([
        `kubectl scale deployment/operator-kling-operator -n ${kase.namespace} --replicas=1`,
      ]);
    } finally {
      await operator(1);
    }
  });
});

/**
 * The cluster as its users see it: what the rest of the tests and the demo
 * take for granted about the node, checked on the real one.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptOf } from '../docs/script.ts';
import { typeIn } from '../docs/shell.ts';
import { nodeImage, nodeImageArchive } from '../images/node/image.ts';
import { cluster } from './choice.ts';
import { CommandError } from './command.ts';
import { containerPid, daemonPid, kubeconfigPath, loadImage, restartDaemon, status, stopDaemon, up } from './index.ts';
import { apply, kubectl as kubectlWith } from './kubectl.ts';
import { inState } from './settings.ts';
import { waitFor } from './wait.ts';

const namespace = `cluster-${randomBytes(3).toString('hex')}`;
const script = await scriptOf('test/cluster/README.md');
let kubeconfig: string;
const kubectl = (...args: string[]) => kubectlWith(kubeconfig, args);

beforeAll(async () => {
  kubeconfig = await up();
  await loadImage(await nodeImageArchive());
  await kubectl('create', 'namespace', namespace);
  await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
});

afterAll(async () => {
  await kubectl('delete', 'namespace', namespace, '--wait=false');
});

/** A pod that runs a script under the restricted profile, with a read-only root. */
function pod(name: string, script: string, extra: { claim?: string; container?: object; restart?: string } = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: extra.restart ?? 'Never',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'node',
          image: nodeImage,
          imagePullPolicy: 'Never',
          args: ['-e', script],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          ...(extra.claim === undefined ? {} : { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
          ...extra.container,
        },
      ],
      ...(extra.claim === undefined
        ? {}
        : { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: extra.claim } }] }),
    },
  };
}

/** Runs a script in a pod to its end. @returns what it printed */
async function inPod(name: string, script: string, claim?: string): Promise<string> {
  await apply(kubeconfig, [pod(name, script, claim === undefined ? {} : { claim })]);
  await waitFor(
    `the pod ${name} to end`,
    async () => {
      const phase = await kubectl('-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.phase}');
      return phase === 'Succeeded' || phase === 'Failed' ? phase : undefined;
    },
    60_000,
  );
  return (await kubectl('-n', namespace, 'logs', name)).trim();
}

const claim = (name: string, volume?: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    ...(volume === undefined ? {} : { volumeName: volume }),
  },
});

const ready = (name: string) => kubectl('-n', namespace, 'wait', 'pod', name, '--for=condition=Ready', '--timeout=60s');

describe('the cluster', () => {
  it('is Kubernetes 1.34 and tells that it runs', async () => {
    expect(await kubectl('version', '-o', 'json')).toContain('"gitVersion": "v1.34.4"');
    expect(await status()).toMatchObject({ kind: 'node', running: true });
  });

  it('is used again by a second up, within seconds', async () => {
    const apiServer = daemonPid('kube-apiserver');
    const started = performance.now();
    await up();
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(daemonPid('kube-apiserver')).toBe(apiServer);
  });

  it('answers what its page says to type', async () => {
    const archive = await nodeImageArchive();
    const adapt = (command: string) => command.replace('X.tar', `'${archive}'`);
    const { stdout, stderr } = await typeIn([...script.commands(), 'echo "KUBECONFIG is $KUBECONFIG"'], { adapt });
    expect(stderr).toContain('The cluster is up.');
    for (const line of (await status()).lines) expect(stdout).toContain(line);
    expect(stdout).toContain(`KUBECONFIG is ${kubeconfig}\n`);
  });

  it('gets its recycler back from the next up when that alone has died', async () => {
    const apiServer = daemonPid('kube-apiserver');
    await stopDaemon('volume-recycler');
    await up();
    expect(daemonPid('volume-recycler')).toBeGreaterThan(0);
    expect(daemonPid('kube-apiserver')).toBe(apiServer);
  });

  it('survives two ups at once', async () => {
    const apiServer = daemonPid('kube-apiserver');
    expect(await Promise.all([up(), up(), up()])).toEqual([kubeconfig, kubeconfig, kubeconfig]);
    expect(daemonPid('kube-apiserver')).toBe(apiServer);
  });

  it('enforces the restricted profile', async () => {
    const root = pod('root', '0', { container: { securityContext: { runAsUser: 0, privileged: true } } });
    await expect(apply(kubeconfig, [root])).rejects.toThrow(/violates PodSecurity "restricted/);
  });

  it('lets nobody block the deletion of an owner that he may not delete', async () => {
    await kubectl('-n', namespace, 'create', 'serviceaccount', 'writer');
    await kubectl('-n', namespace, 'create', 'role', 'writer', '--verb=create,get,patch', '--resource=configmaps');
    await kubectl(
      '-n',
      namespace,
      'create',
      'rolebinding',
      'writer',
      '--role=writer',
      `--serviceaccount=${namespace}:writer`,
    );
    const uid = await kubectl('-n', namespace, 'get', 'serviceaccount', 'writer', '-o', 'jsonpath={.metadata.uid}');
    const child = (blockOwnerDeletion: boolean) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `child-${blockOwnerDeletion}`,
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'ServiceAccount', name: 'writer', uid, blockOwnerDeletion }],
      },
    });
    const create = (object: object) =>
      kubectlWith(kubeconfig, [`--as=system:serviceaccount:${namespace}:writer`, 'create', '-f', '-'], {
        input: JSON.stringify(object),
      });
    await expect(create(child(true))).rejects.toThrow(/cannot set blockOwnerDeletion/);
    await expect(create(child(false))).resolves.toContain('created');
  });
});

describe('the network', () => {
  it('resolves names of Services and answers no to unknown ones', async () => {
    const script = `const dns = require('node:dns/promises');
      const show = (name) => dns.lookup(name).then((r) => r.address, (e) => e.code);
      Promise.all(['kubernetes.default', 'kube-dns.kube-system.svc.cluster.local', 'absent.default'].map(show))
        .then((all) => console.log(all.join(' ')));`;
    expect(await inPod('names', script)).toBe('198.19.0.1 198.19.0.10 ENOTFOUND');
  });

  it('reaches the API server from a pod, and a Service from another pod, its own and the host', async () => {
    const server = `require('node:http').createServer((q, r) => r.end('served')).listen(8080)`;
    const container = { readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 } };
    const port = { port: 80, targetPort: 8080 };
    // Another name than the pod's, which its own /etc/hosts knows.
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'pages', namespace },
      spec: { selector: { app: 'web' }, ports: [port] },
    };
    await apply(kubeconfig, [pod('web', server, { container }), service]);
    await ready('web');
    const ask = `const until = Date.now() + 20000;
      const once = (url) => new Promise((resolve, reject) => {
        require(url.split(':')[0]).get(url, { rejectUnauthorized: false }, async (reply) => {
          let body = '';
          for await (const chunk of reply) body += chunk;
          resolve(body);
        }).on('error', reject);
      });
      const get = (url) => once(url).catch((e) => {
        if (Date.now() > until) return e.code;
        return new Promise((go) => setTimeout(go, 200)).then(() => get(url));
      });
      Promise.all([get('http://pages'), get('https://kubernetes.default/healthz')]).then((all) => console.log(all.join(' ')));`;
    expect(await inPod('visitor', ask)).toBe('served ok');
    const own = await kubectl('-n', namespace, 'exec', 'web', '--', '/bin/node', '-e', ask);
    expect(own.trim()).toBe('served ok');
    // Tests and the demo are clients on the host: they call Services and pods by address.
    const service4 = await kubectl('-n', namespace, 'get', 'service', 'pages', '-o', 'jsonpath={.spec.clusterIP}');
    const pod4 = await kubectl('-n', namespace, 'get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}');
    for (const url of [`http://${service4}`, `http://${pod4}:8080`])
      expect(await (await fetch(url)).text()).toBe('served');
  });
});

describe('storage', () => {
  it('gives a non-root pod a volume to write to, and gives it to the next one empty', async () => {
    await apply(kubeconfig, [claim('first')]);
    const write = `require('node:fs').writeFileSync('/data/kept', 'mine'); console.log(process.getuid())`;
    expect(await inPod('writer', write, 'first')).toBe('65532');
    const volume = await kubectl('-n', namespace, 'get', 'pvc', 'first', '-o', 'jsonpath={.spec.volumeName}');
    expect(readdirSync(inState('volumes', volume))).toEqual(['kept']);

    await kubectl('-n', namespace, 'delete', 'pod/writer', 'pvc/first', '--timeout=60s');
    await kubectl('wait', 'pv', volume, '--for=jsonpath={.status.phase}=Available', '--timeout=60s');
    expect(readdirSync(inState('volumes', volume))).toEqual([]);
    // Nothing of the first user is left on the folder itself either.
    expect(await stat(inState('volumes', volume))).toMatchObject({ uid: 0, gid: 0 });

    await apply(kubeconfig, [claim('second', volume)]);
    const read = `console.log(JSON.stringify(require('node:fs').readdirSync('/data')))`;
    expect(await inPod('reader', read, 'second')).toBe('[]');
  });
});

describe('faults from outside', () => {
  it('restart the API server without harm to the pods', async () => {
    const uids = () => kubectl('get', 'pods', '-n', 'kube-system', '-o', 'jsonpath={.items[*].metadata.uid}');
    const before = await uids();
    await restartDaemon('kube-apiserver');
    const answers = () => kubectl('get', '--raw', '/readyz', '--request-timeout=2s').then(() => true);
    await waitFor('the API server', answers, 60_000);
    expect(await uids()).toBe(before);
  });

  it('finds the process of a container by its name', async () => {
    const name = 'victim';
    await apply(kubeconfig, [pod(name, 'setInterval(() => {}, 1000)', { restart: 'Always' })]);
    await ready(name);
    const pid = await containerPid({ namespace, pod: name, container: 'node' });
    process.kill(pid, 'SIGKILL');
    const restarts = () =>
      kubectl('-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}');
    await waitFor('the restart', async () => ((await restarts()) === '1' ? true : undefined), 60_000);
    await ready(name);
    expect(await containerPid({ namespace, pod: name, container: 'node' })).not.toBe(pid);
    await expect(containerPid({ namespace, pod: name, container: 'absent' })).rejects.toThrow('has not started');
    await expect(containerPid({ namespace, pod: 'absent', container: 'node' })).rejects.toThrow(CommandError);
  });
});

describe('CLUSTER=existing, pointed at this cluster', () => {
  it('uses it without asking, loads images into it, and leaves it running', async () => {
    const before = process.env['KUBECONFIG'];
    process.env['KUBECONFIG'] = kubeconfig;
    try {
      const existing = cluster('existing');
      expect(await existing.up({})).toBe(await kubeconfigPath());
      expect(await existing.status()).toMatchObject({ kind: 'existing', running: true });
      await existing.loadImage(await nodeImageArchive());
      await existing.down({});
      expect(await status()).toMatchObject({ running: true });
    } finally {
      if (before === undefined) delete process.env['KUBECONFIG'];
      else process.env['KUBECONFIG'] = before;
    }
  });
});

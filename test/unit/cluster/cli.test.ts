import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const cli = join(import.meta.dirname, '../../cluster/cli.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kling-cluster-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(args: string[], env: NodeJS.ProcessEnv) {
  const result = spawnSync(process.execPath, [cli, ...args], { env: { ...process.env, ...env }, encoding: 'utf8' });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

describe('CLUSTER=kind', () => {
  /** A stand-in that writes down how it was called; `kind get clusters` lists what is in the file `clusters`. */
  function fakeKind() {
    const program = join(folder, 'kind');
    const calls = join(folder, 'calls');
    writeFileSync(join(folder, 'clusters'), 'another\n');
    const script = [
      '#!/bin/sh',
      `echo "$*" >> '${calls}'`,
      `if [ "$1 $2" = "get clusters" ]; then cat '${folder}/clusters'; fi`,
      `if [ "$1 $2" = "create cluster" ]; then echo kling-operator >> '${folder}/clusters'; fi`,
    ];
    writeFileSync(program, `${script.join('\n')}\n`);
    chmodSync(program, 0o755);
    const env = { CLUSTER: 'kind', PATH: `${folder}${delimiter}${process.env['PATH']}`, XDG_CACHE_HOME: folder };
    const kubeconfig = join(folder, 'kling-operator', 'kind.kubeconfig');
    const changes = () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && line !== 'get clusters');
    return { env, kubeconfig, changes };
  }

  it('creates its own cluster once, with a kubeconfig of its own, and uses it again', () => {
    const { env, kubeconfig, changes } = fakeKind();
    expect(run(['up'], env)).toMatchObject({ code: 0 });
    expect(run(['up'], env)).toMatchObject({ code: 0 });
    expect(changes()).toEqual([
      `create cluster --name kling-operator --kubeconfig ${kubeconfig} --wait 120s`,
      `export kubeconfig --name kling-operator --kubeconfig ${kubeconfig}`,
    ]);
    expect(run(['kubeconfig'], env).stdout).toBe(`${kubeconfig}\n`);
  });

  it('loads an image archive into it', () => {
    const { env, changes } = fakeKind();
    expect(run(['load', '/tmp/mcp.tar'], env)).toMatchObject({ code: 0 });
    expect(changes()).toEqual(['load image-archive /tmp/mcp.tar --name kling-operator']);
  });

  it('deletes only its own cluster', () => {
    const { env, kubeconfig, changes } = fakeKind();
    expect(run(['down'], env)).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'calls')) && changes()).toEqual([]);
    run(['up'], env);
    expect(run(['down'], env)).toMatchObject({ code: 0 });
    expect(changes().at(-1)).toBe(`delete cluster --name kling-operator --kubeconfig ${kubeconfig}`);
  });
});

describe('CLUSTER=existing', () => {
  function kubeconfig(server: string) {
    const file = join(folder, 'config');
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'far', cluster: { server } }],
      users: [{ name: 'me', user: {} }],
      contexts: [{ name: 'production', context: { cluster: 'far', user: 'me' } }],
      'current-context': 'production',
    };
    writeFileSync(file, JSON.stringify(content));
    return { CLUSTER: 'existing', KUBECONFIG: file };
  }

  it('does not touch a cluster of another host unasked, and says how to allow it', () => {
    const { code, stderr } = run(['up'], kubeconfig('https://203.0.113.7:6443'));
    expect(code).toBe(1);
    expect(stderr).toMatchInlineSnapshot(`
      "The context production is https://203.0.113.7:6443, which is not on this host: to change that cluster, say so with --yes, or choose another context
      "
    `);
  });

  it('goes on with --yes, and tells when the cluster does not answer', () => {
    // Nobody listens on port 9 of the loopback; the name keeps it from counting as this host.
    const { code, stderr } = run(['up', '--yes'], kubeconfig('https://localhost.localdomain.invalid:9'));
    expect(code).toBe(1);
    expect(stderr).toContain(
      'The cluster of the context production (https://localhost.localdomain.invalid:9) does not answer',
    );
  });

  it('names the way out where an image cannot be put into the nodes', () => {
    const { code, stderr } = run(['load', 'x.tar'], kubeconfig('https://203.0.113.7:6443'));
    expect(code).toBe(1);
    expect(stderr).toContain('push them to a registry that it pulls from');
  });

  it('asks for a context when there is none', () => {
    const { code, stderr } = run(['up'], { CLUSTER: 'existing', KUBECONFIG: join(folder, 'absent') });
    expect(code).toBe(1);
    expect(stderr).toContain('set KUBECONFIG, or choose one with kubectl config use-context');
  });
});

describe('our own node', () => {
  it('prints nothing but the path of its kubeconfig', () => {
    expect(run(['kubeconfig'], { CLUSTER: '', KLING_CLUSTER_DIR: '/var/lib/elsewhere' }).stdout).toBe(
      '/var/lib/elsewhere/kubeconfig/admin\n',
    );
  });

  it('refuses words it does not know', () => {
    expect(run(['upp'], {})).toMatchObject({ code: 2, stderr: expect.stringContaining('usage: npm run cluster --') });
    expect(run(['up'], { CLUSTER: 'minikube' })).toMatchObject({
      code: 1,
      stderr: 'CLUSTER=minikube is unknown: leave it out for a node of our own, or say kind or existing\n',
    });
  });
});

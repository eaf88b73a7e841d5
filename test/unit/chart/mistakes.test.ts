/** A mistake in the values is told before anything is installed: which value, what is wrong, the way out. */
import { describe, expect, it } from 'vitest';
import { type Value, valuesOf } from '../../../scripts/chart/values.ts';
import { kinds, objectsOf, withoutCrd } from './render.ts';

it.each([
  [['image.registry='], 'image.registry is not set: there is no default registry'],
  [['image.registry=https://registry.example.com'], 'write it without https://'],
  [['image.registry=registry.example.com/'], 'write it without the slash at its end'],
  [['images.mcp.registry=http://mirror.example.com'], 'images.mcp.registry is http://mirror.example.com'],
  [['images.api.digest=sha256:12'], 'images.api.digest is sha256:12: write sha256: and 64 digits'],
  [['watchNamespaces={a}'], 'watchNamespaces is set but scope is cluster'],
  [['scope=namespace', 'watchNamespaces={A}'], 'A is not the name of a namespace'],
  [['replicas=2', 'leaderElection.enabled=false'], 'operators would work against each other. Set replicas=1'],
  [['tracing.endpoint=collector:4318'], 'write it with http:// or https:// before it'],
  [['serviceAccount.create=false'], 'serviceAccount.name is needed'],
  [['extraEnv[0].name=WORKERS'], 'WORKERS is set by the chart'],
  [
    ['tests.klingApis[0].name=a', 'tests.klingApis[0].anonymous=true', 'tests.klingApis[0].keySecretRef.name=b'].concat(
      'tests.klingApis[0].keySecretRef.key=c',
    ),
    'tests.klingApis[0] (a) is anonymous and has keySecretRef',
  ],
  // these are the schema's
  [['replica=2'], "additional properties 'replica' not allowed"],
  [['logLevel=loud'], "at '/logLevel': value must be one of 'trace', 'debug', 'info', 'warn', 'error'"],
  [['workers=65'], "at '/workers': maximum: got 65, want 64"],
  [['image.tag=1'], "at '/image/tag': got number, want string"],
  [['image.tag=a b'], "at '/image/tag': 'a b' does not match pattern"],
  [['podDisruptionBudget.maxUnavailable=0'], 'minimum: got 0, want 1'],
  [['podDisruptionBudget.maxUnavailable=0%'], "'0%' does not match pattern"],
  [['fullnameOverride=Ab_c'], "at '/fullnameOverride': 'Ab_c' does not match pattern"],
  [['nameOverride=1a'], "at '/nameOverride': '1a' does not match pattern"],
  [['serviceAccount.name=Kling'], "at '/serviceAccount/name': 'Kling' does not match pattern"],
  [['livenessProbe.httpGet.path=/'], "at '/livenessProbe': additional properties 'httpGet' not allowed"],
  [['monitoring=null'], "missing property 'monitoring'"],
])('%j', async (sets, message) => {
  await expect(withoutCrd(...sets)).rejects.toThrow(message);
});

it('all of them at once', async () => {
  await expect(withoutCrd('image.registry=', 'watchNamespaces={a}', 'tracing.endpoint=x')).rejects.toThrow(
    /These values cannot be used:\n {2}- image\.registry .*\n {2}- watchNamespaces .*\n {2}- tracing\.endpoint /,
  );
});

describe('null', () => {
  const all = valuesOf().filter(({ initial }) => initial !== undefined && typeof initial !== 'boolean');
  const everythingOn = valuesOf()
    .filter(({ path, initial }) => initial === false && path.at(-1) === 'enabled')
    .map(({ path }) => `${path.join('.')}=true`);
  const runbooks = 'monitoring.prometheusRule.runbookUrl=https://runbooks.example.com';
  /** A number or a word says something; lists, maps and what is empty anyway may be away. */
  const needed = all.filter(
    ({ initial }) => typeof initial === 'number' || (typeof initial === 'string' && initial !== ''),
  );
  const nulls = (values: readonly Value[]) => values.map(({ path }) => `${path.join('.')}=null`);

  it('leaves out what is a list or a map, or empty anyway', async () => {
    const values = all.filter((value) => !needed.includes(value));
    const kept = ['image.registry=registry.example.com/team', runbooks];
    const objects = objectsOf(await withoutCrd(...everythingOn, ...nulls(values), ...kept));
    expect(kinds(objects)).toContain('ServiceMonitor operators/studio-ops-kling-operator');
    expect(JSON.stringify(objects)).not.toContain('<nil>');
  });

  it('leaves out one label, or one time of a probe', async () => {
    const yaml = await withoutCrd(
      ...['monitoring.dashboards.enabled=true', 'monitoring.dashboards.labels.grafana_dashboard=null'],
      'livenessProbe.periodSeconds=null',
    );
    expect(objectsOf(yaml).filter(({ kind }) => kind === 'ConfigMap')).toHaveLength(3);
    expect(yaml).not.toContain('grafana_dashboard:');
    expect(yaml).not.toContain('periodSeconds: 20');
  });

  it('is refused for a number or a word, all at once', async () => {
    const refused = withoutCrd(...everythingOn, runbooks, ...nulls(needed));
    const told = await refused.then(String, String);
    const said = [...told.matchAll(/^ {2}- (\S+) has no value: write one, or leave it out/gm)].map(([, name]) => name);
    expect(said.sort()).toEqual(needed.map(({ path }) => path.join('.')).sort());
  });
});

it('a parent chart may bring values of all its charts, and a condition', async () => {
  await expect(withoutCrd('global.team=media', 'enabled=true')).resolves.toContain('kind: Deployment');
});

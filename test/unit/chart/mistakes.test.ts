/** A mistake in the values is told before anything is installed: which value, what is wrong, the way out. */
import { expect, it } from 'vitest';
import { withoutCrd } from './render.ts';

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
])('%j', async (sets, message) => {
  await expect(withoutCrd(...sets)).rejects.toThrow(message);
});

it('all of them at once', async () => {
  await expect(withoutCrd('image.registry=', 'watchNamespaces={a}', 'tracing.endpoint=x')).rejects.toThrow(
    /These values cannot be used:\n {2}- image\.registry .*\n {2}- watchNamespaces .*\n {2}- tracing\.endpoint /,
  );
});

it('a parent chart may bring values of all its charts, and a condition', async () => {
  await expect(withoutCrd('global.team=media', 'enabled=true')).resolves.toContain('kind: Deployment');
});

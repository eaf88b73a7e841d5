/** The README's way to install it, word for word, for the whole cluster. Runs alone: this operator sees every namespace. */
import { readFile } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { kubeconfigPath, tools } from '../../cluster/index.ts';
import { getJson, helm, kubectl, run } from '../kubectl.ts';

/** Commands of the shell blocks of one section. */
function commands(readme: string, heading: string): string[] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trim().split('\n'));
}

afterAll(async () => {
  await kubectl(['delete', 'namespace', 'media', '--ignore-not-found', '--timeout=120s']);
  await helm(['uninstall', 'kling-operator', '-n', 'kling-system', '--ignore-not-found', '--wait']);
  await kubectl(['delete', 'namespace', 'kling-system', '--ignore-not-found', '--timeout=120s']);
});

it('installs as the README says, and the report comes out', async () => {
  const readme = await readFile('README.md', 'utf8');
  const { kubectl: kubectlPath, helm: helmPath } = await tools();
  const env = {
    KUBECONFIG: await kubeconfigPath(),
    PATH: [dirname(kubectlPath), dirname(helmPath), process.env['PATH']].join(delimiter),
    REGISTRY: 'localhost',
  };
  // images are in the node already, under another tag; a CRD of an earlier test may be there
  const adapted = (line: string): string | undefined =>
    line.startsWith('npm run images')
      ? undefined
      : line.replace(/^(helm install .*)$/, '$1 --set image.tag=dev --take-ownership --force-conflicts');
  const lines = [...commands(readme, 'Install it'), ...commands(readme, 'How a repair goes')];
  expect(lines.length).toBeGreaterThanOrEqual(7);
  const outputs: string[] = [];
  for (const line of lines.map(adapted).filter((entry) => entry !== undefined)) {
    if (line.includes('operator/dist/report.js')) {
      const annotated = await run('bash', ['-c', `${line} || true`], { env });
      expect(annotated.stderr).toContain('KlingApi studio was never repaired');
      continue;
    }
    const result = await run('bash', ['-o', 'pipefail', '-c', line], { env, timeoutMs: 330_000 });
    expect(result.code, `${line}\n${result.stderr}`).toBe(0);
    outputs.push(result.stdout);
  }
  const secret = await getJson(['get', 'secret', 'studio-callers', '-n', 'media']);
  expect(outputs).toContain(Buffer.from(secret.data.default, 'base64').toString('utf8'));

  const pods = (await getJson(['get', 'pods', '-n', 'kling-system'])).items;
  expect(pods).toHaveLength(2);
  const listed = await kubectl(['get', 'klingapis', '-n', 'media']);
  expect(listed).toMatch(/^NAME\s+READY\s+MCP\s+VERIFIED\s+REPAIRS\s+URL\s+AGE$/m);
});

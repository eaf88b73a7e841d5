import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { preflight } from '../../cluster/preflight.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kling-preflight-'));
  vi.spyOn(process, 'getuid').mockReturnValue(0);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function goThatSays(version: string): void {
  writeFileSync(join(folder, 'go'), `#!/bin/sh\necho ${version}\n`);
  chmodSync(join(folder, 'go'), 0o755);
  vi.stubEnv('PATH', folder);
}

it.each(['go1.24', 'go1.24.0', 'go1.26.8', 'go2.0'])('accepts %s', async (version) => {
  goThatSays(version);
  await expect(preflight(true)).resolves.toBeUndefined();
});

it.each(['go1.19.8', 'go1.23.12', 'devel'])('refuses %s and says where to get a newer one', async (version) => {
  goThatSays(version);
  const refusal = preflight(true);
  if (version === 'devel') await expect(refusal).resolves.toBeUndefined();
  else
    await expect(refusal).rejects.toThrow(
      /Go 1\.24 or newer is needed and this is go1\.\d+\.\d+: install .*go\.dev\/dl/,
    );
});

it('says where to get Go when there is none', async () => {
  vi.stubEnv('PATH', folder);
  await expect(preflight(true)).rejects.toThrow(/Go is missing.*go\.dev\/dl.*CLUSTER=kind/);
});

it('does not ask for Go when nothing needs building', async () => {
  vi.stubEnv('PATH', folder);
  await expect(preflight(false)).resolves.toBeUndefined();
});

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

it.each(['go1.24', 'go1.24.0', 'go1.26.8', 'go2.0', 'devel go1.27-abc', 'devel'])('accepts %s', async (version) => {
  goThatSays(version);
  await expect(preflight(true)).resolves.toBeUndefined();
});

it.each(['go1.19.8', 'go1.23.12'])('refuses %s and says where to get a newer one', async (version) => {
  goThatSays(version);
  await expect(preflight(true)).rejects.toThrow(
    `Go 1.24 or newer is needed and this is ${version}: install Go 1.24 or newer from https://go.dev/dl/`,
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

it('says what to do when it is not root', async () => {
  vi.mocked(process.getuid!).mockReturnValue(1000);
  await expect(preflight(false)).rejects.toThrow(/needs root .*sudo.*CLUSTER=kind .*CLUSTER=existing/);
});

it('says what to do on another system', async () => {
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
  await expect(preflight(false)).rejects.toThrow(/runs on Linux and this is darwin; use another cluster: CLUSTER=kind/);
  platform.mockRestore();
});

import { type Browser, chromium } from 'playwright-core';
import { withLock } from '../cluster/lock.ts';
import { findProgram, installPackages } from '../cluster/packages.ts';
import { steps, toStderr } from '../cluster/progress.ts';

const NAMES = ['chromium', 'google-chrome-stable', 'google-chrome', 'chromium-browser'];

/** @throws Error when there is no Chromium and it cannot be installed */
export async function startChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath: await chromiumProgram(),
    // Its own sandbox refuses to run as root, and needs more shared memory than containers give.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

async function chromiumProgram(): Promise<string> {
  const found = await find();
  if (found !== undefined) return found;
  await withLock(() =>
    installPackages(steps(toStderr), [
      { name: 'chromium', program: 'chromium' },
      { name: 'fonts-liberation', program: '/usr/share/fonts/truetype/liberation' },
    ]),
  );
  const installed = await find();
  if (installed === undefined) throw new Error('Chromium was installed, and its program is not to be found');
  return installed;
}

async function find(): Promise<string | undefined> {
  for (const name of NAMES) {
    const program = await findProgram(name);
    if (program !== undefined) return program;
  }
  return undefined;
}

/** Debian's promtool, which comes with its Prometheus. */
import { withLock } from '../cluster/lock.ts';
import { findProgram, installPackages } from '../cluster/packages.ts';
import { steps, toStderr } from '../cluster/progress.ts';

export interface Programs {
  readonly prometheus: string;
  readonly promtool: string;
}

/** @throws Error when there is no Prometheus and it cannot be installed */
export async function prometheusPrograms(): Promise<Programs> {
  const found = await find();
  if (found !== undefined) return found;
  // several test files may come here at once, and apt-get takes one at a time
  await withLock(() => installPackages(steps(toStderr), [{ name: 'prometheus', program: 'prometheus' }]));
  const installed = await find();
  if (installed === undefined) throw new Error('Prometheus was installed, and its programs are not to be found');
  return installed;
}

async function find(): Promise<Programs | undefined> {
  const [prometheus, promtool] = await Promise.all(['prometheus', 'promtool'].map((name) => findProgram(name)));
  return prometheus === undefined || promtool === undefined ? undefined : { prometheus, promtool };
}

/** Images of the real Prometheus and of its operator: programs alone, without any library. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadImage, writeScratchImage } from '../cluster/index.ts';
import { goProgram } from './go-programs.ts';

export const MONITORING_IMAGES = {
  prometheus: 'localhost/kling-test-prometheus:dev',
  operator: 'localhost/kling-test-prometheus-operator:dev',
  reloader: 'localhost/kling-test-prometheus-config-reloader:dev',
} as const;

/** Builds what is not built yet, and loads it into the test cluster. */
export async function loadMonitoringImages(): Promise<void> {
  // the operator calls the reloader by this path
  const programs = {
    prometheus: ['/bin/prometheus', await goProgram('prometheus')],
    operator: ['/bin/operator', await goProgram('operator')],
    reloader: ['/bin/prometheus-config-reloader', await goProgram('reloader')],
  } as const;
  const folder = await mkdtemp(join(tmpdir(), 'kling-monitoring-images-'));
  try {
    for (const name of ['prometheus', 'operator', 'reloader'] as const) {
      const [path, program] = programs[name];
      const archive = join(folder, `${name}.tar`);
      const reference = MONITORING_IMAGES[name];
      await writeScratchImage({ reference, files: { [path]: program }, entrypoint: [path] }, archive);
      await loadImage(archive);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

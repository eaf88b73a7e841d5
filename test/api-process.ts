import { join } from 'node:path';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const MAIN = join(import.meta.dirname, '../services/api/src/main.ts');

/** The API service from its sources, open to everybody where `env` says nothing else. */
export function startApiProcess(
  env: Readonly<Record<string, string>>,
  onLine?: (line: string) => void,
): Promise<ServiceProcess> {
  return startServiceProcess(MAIN, {
    env: { AUTH: 'none', KLING_API_KEY: 'key', ...env },
    ...(onLine === undefined ? {} : { onLine }),
  });
}

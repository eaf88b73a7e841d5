/** The cluster as a person asks it: the real kubectl, the real helm. */
import { execFile } from 'node:child_process';
import { kubeconfigPath, tools } from '../cluster/index.ts';

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program; a code other than 0 is a result. */
export function run(
  file: string,
  args: string[],
  options: { input?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { env: { ...process.env, ...options.env }, maxBuffer: 64 * 1024 * 1024, timeout: options.timeoutMs ?? 120_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

async function must(
  file: string,
  args: string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  const result = await run(file, args, { ...options, env: { KUBECONFIG: await kubeconfigPath() } });
  if (result.code !== 0) throw new Error(`${args.join(' ')}: exit ${result.code}: ${result.stderr || result.stdout}`);
  return result.stdout;
}

/** @throws Error with what kubectl printed */
export const kubectl = async (args: string[], input?: string, timeoutMs?: number): Promise<string> =>
  must((await tools()).kubectl, args, {
    ...(input === undefined ? {} : { input }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });

/** Runs kubectl where a refusal is what the test is about. */
export const tryKubectl = async (args: string[], input?: string): Promise<RunResult> =>
  run((await tools()).kubectl, args, {
    ...(input === undefined ? {} : { input }),
    env: { KUBECONFIG: await kubeconfigPath() },
  });

export const helm = async (args: string[]): Promise<string> => must((await tools()).helm, args, { timeoutMs: 300_000 });

// biome-ignore lint/suspicious/noExplicitAny: objects of the cluster as JSON, looked into by tests only
export type Json = any;

export const getJson = async (args: string[]): Promise<Json> => JSON.parse(await kubectl([...args, '-o', 'json']));

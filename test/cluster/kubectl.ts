import { type RunOptions, run } from './command.ts';
import { tools } from './tools.ts';

export async function kubectl(kubeconfig: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run((await tools()).kubectl, ['--kubeconfig', kubeconfig, ...args], options);
}

/** Server-side apply of any number of objects in one call. */
export async function apply(kubeconfig: string, objects: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await kubectl(kubeconfig, ['apply', '--server-side', '--field-manager=kling-cluster', '-f', '-'], { input });
}

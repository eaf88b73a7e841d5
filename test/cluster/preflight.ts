import { run } from './command.ts';

/** What must hold before a cluster can be made here; each error names the way out. */
export async function preflight(needsGo: boolean): Promise<void> {
  const wayOut =
    'use another cluster: CLUSTER=kind (needs Docker) or CLUSTER=existing (the current kubeconfig context)';
  if (process.platform !== 'linux') {
    throw new Error(`The single-node cluster runs on Linux and this is ${process.platform}; ${wayOut}`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`The single-node cluster needs root (containers, network, mounts): run with sudo -E, or ${wayOut}`);
  }
  if (needsGo) await checkGo(wayOut);
}

async function checkGo(wayOut: string): Promise<void> {
  const install = 'install Go 1.24 or newer from https://go.dev/dl/ and put it on PATH';
  const text = await run('go', ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } }).catch(() => {
    throw new Error(`Go is missing, and the cluster is built from its sources: ${install}, or ${wayOut}`);
  });
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(text) ?? [];
  if (Number(major) < 1 || (Number(major) === 1 && Number(minor) < 24)) {
    throw new Error(`Go 1.24 or newer is needed and this is ${text.trim()}: ${install}, or ${wayOut}`);
  }
}

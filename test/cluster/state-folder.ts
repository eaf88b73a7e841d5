import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { noteFile } from './host.ts';
import { networkOwner } from './network.ts';
import { inState, stateDir } from './settings.ts';

/**
 * The cluster's folder, told from any other by the note that it starts with
 * (host.ts). A slip in KLING_CLUSTER_DIR must not cost anybody a folder.
 */
const entries = () => (existsSync(stateDir) ? readdirSync(stateDir) : []);

/** @throws Error when the folder holds something else, or a cluster of another folder is on this host */
export function checkStateFolder(): void {
  const owner = networkOwner();
  if (owner !== undefined && owner !== stateDir && existsSync(owner)) {
    throw new Error(`A cluster is on this host already, in ${owner}: use that one with KLING_CLUSTER_DIR=${owner}`);
  }
  if (entries().length > 0 && !existsSync(noteFile)) {
    throw new Error(`${stateDir} holds no cluster but other things: choose another folder by KLING_CLUSTER_DIR`);
  }
}

export async function makeStateFolder(): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
}

/** The note goes last: when this is killed half-way, the rest can still be told. */
export async function removeStateFolder(): Promise<void> {
  checkStateFolder();
  for (const entry of entries())
    if (inState(entry) !== noteFile) await rm(inState(entry), { recursive: true, force: true });
  await rm(stateDir, { recursive: true, force: true });
}

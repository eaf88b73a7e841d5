import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { inState } from './settings.ts';

/**
 * Traces that the cluster leaves on the host outside its own folder: kernel
 * settings, and folders whose place is fixed in the code of kubelet, containerd
 * and libcni. What was there before is noted first, so that `down` can put it back.
 */
const settings: Readonly<Record<string, string | undefined>> = {
  // Set here.
  'net/ipv4/ip_forward': '1',
  'fs/inotify/max_user_instances': '8192',
  'fs/inotify/max_user_watches': '524288',
  // Set by the kubelet and kube-proxy.
  'vm/overcommit_memory': undefined,
  'vm/panic_on_oom': undefined,
  'kernel/panic': undefined,
  'kernel/panic_on_oops': undefined,
  'kernel/keys/root_maxkeys': undefined,
  'kernel/keys/root_maxbytes': undefined,
  'net/netfilter/nf_conntrack_max': undefined,
  'net/netfilter/nf_conntrack_tcp_timeout_established': undefined,
  'net/netfilter/nf_conntrack_tcp_timeout_close_wait': undefined,
};

const folders = [
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
  '/var/lib/cni',
  '/run/containerd',
  '/opt/containerd',
  '/opt/cni',
];

const noteSchema = z.object({ settings: z.record(z.string(), z.string()), folders: z.array(z.string()) });
export const noteFile = inState('host.json');
const sysctl = (name: string) => join('/proc/sys', name);

/** Call before anything of the cluster starts. */
export function prepareHost(): void {
  const before: Record<string, string> = {};
  for (const name of Object.keys(settings)) {
    if (existsSync(sysctl(name))) before[name] = readFileSync(sysctl(name), 'utf8').trim();
  }
  writeFileSync(
    noteFile,
    JSON.stringify({ settings: before, folders: folders.filter((folder) => !existsSync(folder)) }),
  );
  for (const [name, value] of Object.entries(settings)) {
    const now = before[name];
    // Never lower what the host already allows.
    if (value !== undefined && now !== undefined && Number(now) < Number(value)) writeFileSync(sysctl(name), value);
  }
}

/** Puts the host back. Without the note (it was lost) only empty folders go. */
export async function restoreHost(): Promise<void> {
  const note = readNote();
  for (const [name, value] of Object.entries(note?.settings ?? {})) {
    if (name in settings && existsSync(sysctl(name)) && readFileSync(sysctl(name), 'utf8').trim() !== value) {
      writeFileSync(sysctl(name), value);
    }
  }
  for (const folder of note?.folders ?? [])
    if (folders.includes(folder)) await rm(folder, { recursive: true, force: true });
  for (const folder of ['/run/containerd/s', '/var/lib/cni/results', ...folders]) removeEmpty(folder);
}

function readNote() {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(noteFile, 'utf8')));
  } catch {
    return undefined;
  }
}

function removeEmpty(folder: string): void {
  try {
    if (readdirSync(folder).length === 0 && dirname(folder) !== '/') rmdirSync(folder);
  } catch {
    // Not there, or in use.
  }
}

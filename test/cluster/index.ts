/**
 * The test cluster, for tests and the demo. Every function acts on the cluster
 * that the variable CLUSTER asks for; faults on our own node only.
 */
import { cluster } from './choice.ts';
import type { Status, UpOptions } from './cluster.ts';

export { type ScratchImage, writeScratchImage } from './archive.ts';
export type { Status, UpOptions } from './cluster.ts';
export { type DaemonName, daemonPid, restartDaemon, stopDaemon } from './daemons.ts';
export { type ContainerAddress, containerPid } from './faults.ts';
export { type ProgressEvent, type Report, type Step, steps, toStderr } from './progress.ts';
export { nodeAddress, nodeName } from './settings.ts';
export { oldestHelm, type Tools, tools } from './tools.ts';
export { waitFor } from './wait.ts';

/** Makes the cluster, or finds that it runs. @returns the path of its kubeconfig file */
export const up = (options: UpOptions = {}): Promise<string> => cluster().up(options);
export const down = (options: UpOptions = {}): Promise<void> => cluster().down(options);
export const status = (): Promise<Status> => cluster().status();
export const kubeconfigPath = (): Promise<string> => cluster().kubeconfigPath();
/** @param archive of an image, as `docker save` or `buildah push docker-archive:` write it */
export const loadImage = (archive: string): Promise<void> => cluster().loadImage(archive);

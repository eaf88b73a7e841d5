import type { Report } from './progress.ts';

/** One way to come by a Kubernetes cluster. */
export type UpOptions = {
  /** Where progress goes; standard error without it. */
  report?: Report;
  /** Answers yes to the question whether a context of another host may be changed. */
  yes?: boolean;
};

export type Status = { kind: 'node' | 'kind' | 'existing'; running: boolean; lines: string[] };

export type Cluster = {
  /** Makes it, or finds that it runs. @returns the path of its kubeconfig file */
  up(options: UpOptions): Promise<string>;
  down(options: UpOptions): Promise<void>;
  status(): Promise<Status>;
  kubeconfigPath(): Promise<string>;
  /** @param archive of an image, as `docker save` writes it */
  loadImage(archive: string): Promise<void>;
};

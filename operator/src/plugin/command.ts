import type { Kube } from './cluster/kubeconfig.ts';
import type { Options, OptionTable } from './options.ts';
import type { Paint } from './terminal/paint.ts';

/** What a command has of its process. */
export interface Around {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Aborts with Ctrl-C. */
  readonly signal: AbortSignal;
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** For what goes to standard output. */
  readonly paint: Paint;
  /** For progress, which goes to standard error. */
  readonly progressPaint: Paint;
  readonly columns: number;
}

export interface Invocation extends Around {
  /** All that there are. */
  readonly commands: readonly Command[];
  readonly options: Options;
  /** Opened when it is first asked for. @throws CommandError without a usable kubeconfig */
  readonly kube: () => Kube;
}

export interface Command {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What follows the name, such as `[NAME]`. */
  readonly arguments: string;
  /** Most positional arguments it takes. */
  readonly most: number;
  /** More than the summary says. */
  readonly about?: string;
  /** The help of a command that reads its arguments itself: no flag of every command is for it, and its exit codes are its own. */
  readonly ownUsage?: string;
  /** What it prints is shown as it was written, as kubectl shows logs; all else is cleaned of what a terminal obeys. */
  readonly isVerbatim?: boolean;
  readonly options: OptionTable;
  readonly examples: readonly string[];
  /** @returns the exit code */
  run(invocation: Invocation): Promise<number>;
}

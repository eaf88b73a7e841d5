/** The value below which the given share (0 to 1) of the values lies. @throws Error for no values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (found === undefined) throw new Error('there is nothing to take a quantile of');
  return found;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** One promise and whether it was kept. */
export interface Figure {
  readonly what: string;
  /** As measured, with its unit. */
  readonly seen: string;
  /** What it is held against. */
  readonly goal: string;
  readonly holds: boolean;
}

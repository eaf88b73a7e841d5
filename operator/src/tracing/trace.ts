/** A span around something that is done. */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  /** Learned meanwhile. */
  set(attributes: Attributes): void;
}

/** Runs `run` within a span; spans that it begins are children of that one. What it throws ends the span as an error. */
export type Trace = <T>(name: string, attributes: Attributes, run: (span: Span) => Promise<T>) => Promise<T>;

export interface Tracing {
  readonly trace: Trace;
  /** Sends what has not been sent yet, within two seconds. */
  close(): Promise<void>;
}

const NO_SPAN: Span = { set: () => {} };

export const OFF: Tracing = { trace: (_name, _attributes, run) => run(NO_SPAN), close: async () => {} };

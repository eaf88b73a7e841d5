/** The part of a logger that this folder needs; pino's has it. */
export interface KubeLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For tests and tools. */
export const silentLog: KubeLog = { info: () => {}, warn: () => {}, error: () => {} };

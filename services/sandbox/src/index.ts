/**
 * A stand-in for the Kling API, for trying things without a key. `server.ts` the
 * HTTP surface, `tasks.ts` the life of a task, `picture.ts` and `clip.ts` what a
 * task results in, `faults.ts` failures on request, `callbacks.ts` what it tells by itself. Everything is in memory.
 */
export type { Fault } from './faults.ts';
export { drawPicture, pictureSize } from './picture.ts';
export type { Sandbox, SandboxOptions } from './server.ts';
export { startSandbox } from './server.ts';

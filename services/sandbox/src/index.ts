/**
 * A stand-in for the Kling API, for trying things without a key. Everything is in memory.
 *
 * `server.ts` puts it together out of `world.ts`, what all rooms share; `door.ts` is what
 * every call passes: `authorization.ts`, `faults/` (what goes wrong on request), `rate.ts`.
 * `routes/` are the rooms, one for each way of asking. `tasks/` the life, price and shape of
 * tasks, `packs.ts` what an account may spend, `library.ts` what later calls name by id,
 * `media/` checks of what is given, `results/` the pictures, videos and sounds that come out,
 * `callbacks.ts` what it tells by itself, `clock.ts` the time that all of them follow.
 * `settings.ts` is what the environment sets, `main.ts` the process of the image, `command/` the one of `npm run sandbox`. `harness.ts` is for tests.
 */
export type { Fault } from './faults/names.ts';
export { drawPicture, pictureSize } from './results/picture.ts';
export type { Sandbox, SandboxOptions, ToldRequest } from './server.ts';
export { startSandbox } from './server.ts';

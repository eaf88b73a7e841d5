import { OPERATIONS, type Operation, type OperationName } from '@klingapi/kling';
import type { FastifyInstance } from 'fastify';
import { type Answer, fail, invalid } from '../answer.ts';
import { addRoute, type Call } from '../door.ts';
import { badMedia } from '../media/check.ts';
import type { World } from '../world.ts';
import { ANSWERS, CALL_UNITS } from './answers.ts';

const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);
const NAMES = Object.keys(OPERATIONS).filter(isOperation);

/** The vendor's pages differ in this path; the other is taken too. */
const OTHER_PATHS: Readonly<Partial<Record<OperationName, string>>> = {
  'delete-element': '/v1/general/delete-elements',
};

/** Calls that make no task, answered with contents that are made up. */
export function addOperationRoutes(app: FastifyInstance, world: World): void {
  for (const name of NAMES) {
    const { method, path, scope }: Operation = OPERATIONS[name];
    const other = OTHER_PATHS[name];
    for (const each of other === undefined ? [path] : [path, other]) {
      addRoute(app, world, { method, path: each, creates: scope === 'create' }, (call) => answer(world, name, call));
    }
  }
}

function answer(world: World, name: OperationName, call: Call): Answer {
  const { method, schema }: Operation = OPERATIONS[name];
  const parsed = schema.safeParse(method === 'GET' ? call.request.query : call.request.body);
  if (!parsed.success) return invalid(parsed.error.issues);
  const isDeleting = name === 'delete-element' || name === 'delete-voice';
  const isSpeech = name === 'text-to-speech';
  const refused =
    badMedia(undefined, parsed.data) ??
    (isDeleting || isSpeech ? undefined : world.library.missing(call.account, undefined, parsed.data));
  if (refused !== undefined) return refused;
  const made = ANSWERS[name](world, call, parsed.data);
  if (made.code === 0 && !world.book.pay(call.account, CALL_UNITS[name] ?? 0)) return fail(1102);
  return made;
}

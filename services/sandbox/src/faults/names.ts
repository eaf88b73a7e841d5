import { z } from 'zod';
import { CODES, type Code } from '../codes.ts';

/**
 * What can go wrong on request, beside the codes of the vendor (`1302`) and the same
 * under HTTP 200 (`200-1302`). Where it strikes: `answer` at any call, `create` when
 * something was made and charged, `task`, `result` and `callback` later in the life
 * of the task that the call makes.
 */
export const NAMED_FAULTS = {
  timeout: { strikes: 'answer', about: 'no answer, and nothing is made' },
  reset: { strikes: 'answer', about: 'the connection breaks, and nothing is made' },
  html: { strikes: 'answer', about: '502 with the page of a broken proxy, and nothing is made' },
  slow: { strikes: 'answer', about: 'the usual answer after `delayMs` (5000)' },
  truncated: { strikes: 'answer', about: 'the usual answer, broken off in the middle' },
  'wrong-json': { strikes: 'answer', about: 'the usual answer as text that is not JSON' },
  'wrong-shape': { strikes: 'answer', about: 'JSON with status 200, but not what is documented' },
  'after-create-reset': { strikes: 'create', about: 'made and charged, then the connection breaks' },
  'after-create-5000': { strikes: 'create', about: 'made and charged, answered as an internal error' },
  'after-create-hang': { strikes: 'create', about: 'made and charged, never answered' },
  'task-fails': { strikes: 'task', about: 'the task ends as failed, with the text of moderation, not charged' },
  'task-never-ends': { strikes: 'task', about: 'the task stays in processing' },
  'result-404': { strikes: 'result', about: 'result addresses are 404' },
  'result-expired': { strikes: 'result', about: 'result addresses are 403, as after their time' },
  'result-slow': { strikes: 'result', about: 'results come after `delayMs` (5000)' },
  'result-truncated': { strikes: 'result', about: 'results break off in the middle' },
  'callback-lost': { strikes: 'callback', about: 'no callback comes' },
  'callback-twice': { strikes: 'callback', about: 'each callback comes twice, with one `webhook-id`' },
  'callback-late': { strikes: 'callback', about: 'callbacks come `delayMs` (60000) of the sandbox’s time late' },
  'callback-badly-signed': { strikes: 'callback', about: 'callbacks are signed with another key' },
} as const satisfies Record<string, { strikes: Strikes; about: string }>;

export type Strikes = 'answer' | 'create' | 'task' | 'result' | 'callback';
type NamedFault = keyof typeof NAMED_FAULTS;
export type Fault = `${Code}` | `200-${Code}` | NamedFault;

export const isNamed = (name: string): name is NamedFault => Object.hasOwn(NAMED_FAULTS, name);
const isCode = (text: string): text is `${Code}` => Object.hasOwn(CODES, text);
export const isFault = (name: unknown): name is Fault =>
  typeof name === 'string' && (isNamed(name) || isCode(name.replace(/^200-/, '')));

export const faultSchema = z.custom<Fault>(isFault, {
  error: `must be a code of Kling such as 1302, the same with 200- before it, or one of ${Object.keys(NAMED_FAULTS).join(', ')}`,
});

/** The code that a fault answers, and under which HTTP status. */
export function answeredCode(fault: Fault): { code: Code; status: number } | undefined {
  const text = fault.replace(/^200-/, '');
  if (!isCode(text)) return undefined;
  const code = codeOf(text);
  return { code, status: fault === text ? CODES[code].status : 200 };
}

const CODE_NUMBERS = Object.keys(CODES).filter(isCode).map(codeOf);
export const codeNumbers: readonly Code[] = CODE_NUMBERS;

function codeOf(text: `${Code}`): Code {
  // The text is a key of the table, whose keys are numbers.
  return Number(text) as Code;
}

export function strikes(fault: Fault): Strikes {
  return isNamed(fault) ? NAMED_FAULTS[fault].strikes : 'answer';
}

import { styleText } from 'node:util';
import type { ToldRequest } from '../server.ts';

type Format = Parameters<typeof styleText>[0];
export type Paint = (format: Format, text: string) => string;

/** Colours are for terminals; a pipe or a file gets plain text. */
export const paintFor = (isTerminal: boolean): Paint =>
  isTerminal ? (format, text) => styleText(format, text, { validateStream: false }) : (_format, text) => text;

/** What to copy and paste. */
export function greeting(url: string, paint: Paint): string {
  const body = `-H 'Authorization: Bearer sandbox' -H 'Content-Type: application/json'`;
  return `
${paint('bold', 'The Kling sandbox is ready.')} Nothing costs anything, and all is forgotten when it ends (Ctrl-C).

  Address  ${paint('cyan', url)}
  Key      ${paint('cyan', 'sandbox')}   (any key is good, and an account of its own; bad-key is refused)

Make a picture, and see how it goes:
  curl -s ${url}/v1/images/generations ${body} -d '{"prompt":"a lighthouse at dusk","external_task_id":"first"}'
  curl -s ${url}/v1/images/generations/first -H 'Authorization: Bearer sandbox'

Let something go wrong: -H 'x-sandbox-fault: 1303', or a script: ${url}/sandbox/faults
What it would have cost: ${url}/sandbox/charges
More: services/sandbox/README.md, npm run sandbox -- --help
`;
}

/** One line a request: what came, what was answered, which task it made, which fault struck. */
export function requestLine(told: ToldRequest, at: Date, paint: Paint): string {
  const isGood = told.status > 0 && told.status < 400 && (told.code ?? 0) === 0;
  const status = told.status === 0 ? 'no answer' : String(told.status);
  const answered = told.code === undefined || told.code === 0 ? status : `${status} ${told.code}`;
  const more = [
    told.taskId === undefined ? undefined : `task ${told.taskId}`,
    told.fault === undefined ? undefined : `fault ${told.fault}`,
    told.account === undefined ? undefined : `account ${told.account}`,
  ].filter((each) => each !== undefined);
  return [
    paint('dim', at.toTimeString().slice(0, 8)),
    told.method.padEnd(6),
    told.path,
    paint(isGood ? 'green' : 'red', answered),
    paint('dim', `${Math.round(told.milliseconds)} ms`),
    ...more.map((each) => paint('dim', each)),
  ].join('  ');
}

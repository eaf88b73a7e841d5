import { parseArgs } from 'node:util';

interface Flag {
  /** The variable that says the same. */
  readonly variable: string;
  readonly value: string;
  readonly about: string;
}

/** What the command takes; each is a variable too, and the flag goes first. */
export const FLAGS = {
  port: { variable: 'PORT', value: 'N', about: 'where to listen (5512; 0 picks a free one)' },
  host: { variable: 'HOST', value: 'ADDRESS', about: 'on which address (127.0.0.1: only this machine)' },
  'task-seconds': {
    variable: 'SANDBOX_TASK_SECONDS',
    value: 'S',
    about: 'how long a picture takes, a video twice that (2)',
  },
  speed: { variable: 'SANDBOX_SPEED', value: 'X', about: 'how much faster time goes than outside (1)' },
  concurrency: {
    variable: 'SANDBOX_CONCURRENCY',
    value: 'N',
    about: 'tasks at once of one account and model, above it 1303 (any)',
  },
  'requests-per-second': {
    variable: 'SANDBOX_REQUESTS_PER_SECOND',
    value: 'N',
    about: 'of one account, above it 1302 (any)',
  },
  'webhook-secret': { variable: 'WEBHOOK_SECRET', value: 'whsec_…', about: 'signs callbacks (unsigned)' },
  'access-key': {
    variable: 'SANDBOX_ACCESS_KEY',
    value: 'KEY',
    about: 'with the next: signed tokens need to be of this key (any)',
  },
  'secret-key': { variable: 'SANDBOX_SECRET_KEY', value: 'KEY', about: 'what those tokens are signed with' },
} as const satisfies Record<string, Flag>;

const entries: readonly (readonly [string, Flag])[] = Object.entries(FLAGS);

export const USAGE = `Usage: npm run sandbox [-- FLAGS]

A Kling API on your machine: no key, no cost, nothing kept.

${entries.map(([name, { value, about, variable }]) => `  ${`--${name} ${value}`.padEnd(28)}${about} [${variable}]`).join('\n')}
  ${'--quiet'.padEnd(28)}does not tell of each request
  ${'--help'.padEnd(28)}this text`;

export interface Asked {
  readonly isHelp: boolean;
  readonly isQuiet: boolean;
  /** The environment as the flags have it. */
  readonly variables: Readonly<Record<string, string>>;
}

/** @throws TypeError in words, for a flag that is not known or lacks its value */
export function readFlags(args: readonly string[]): Asked {
  const texts = Object.fromEntries(entries.map(([name]) => [name, { type: 'string' }] as const));
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...texts,
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const given = new Map(Object.entries(values));
  const variables = entries.flatMap(([name, { variable }]) => {
    const value = given.get(name);
    return typeof value === 'string' ? [[variable, value] as const] : [];
  });
  return {
    isHelp: given.get('help') === true,
    isQuiet: given.get('quiet') === true,
    variables: Object.fromEntries(variables),
  };
}

/** A problem of the configuration by the flag that people know it by. */
export function byFlag(problem: string): string {
  const found = entries.find(([, { variable }]) => problem.startsWith(`${variable}:`));
  return found === undefined ? problem : `--${found[0]}${problem.slice(found[1].variable.length)}`;
}

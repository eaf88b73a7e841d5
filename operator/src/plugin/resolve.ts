/** `--resolve`, as curl has it: a public address that is tried before its name leads there. */
import { isIP, type LookupFunction } from 'node:net';
import { UsageError } from './errors.ts';
import type { OptionTable } from './options.ts';

export const RESOLVE = {
  resolve: {
    type: 'string',
    value: 'HOST:PORT:ADDRESS',
    says: 'Dial this address for that host and port, as curl does',
  },
} as const satisfies OptionTable;

/** @throws UsageError where the text is not of that form */
export function pinnedLookup(text: string): LookupFunction {
  const [, host, address = ''] = /^([^:]+):\d+:\[?([0-9a-fA-F.:]+?)\]?$/.exec(text) ?? [];
  const family = isIP(address);
  if (host === undefined || family === 0)
    throw new UsageError(`--resolve "${text}" is not HOST:PORT:ADDRESS, such as kling.example.com:443:192.0.2.10`);
  return (name, _options, done) => {
    if (name === host.toLowerCase()) done(null, [{ address, family }]);
    else done(new Error(`--resolve names ${host}, and ${name} was asked for`), []);
  };
}

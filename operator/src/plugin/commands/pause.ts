import { keeperOf, setPaused } from '../cluster/change.ts';
import { namedKlingApi } from '../cluster/klingapis.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../errors.ts';
import { OUTPUT } from '../options.ts';
import { formatted } from '../terminal/formats.ts';

const command = (name: 'pause' | 'resume', paused: boolean, summary: string, effect: string): Command => ({
  name,
  summary,
  arguments: '[NAME]',
  most: 1,
  about: 'Sets spec.paused, for which you need the right to patch klingapis. The pods go on serving either way.',
  options: OUTPUT,
  examples: [`kubectl kling ${name} studio -n media`],
  async run(invocation) {
    const { options, kube, out, err, progressPaint } = invocation;
    const klingApi = await namedKlingApi(invocation);
    const { name: subject, namespace } = klingApi.metadata;
    const changed = klingApi.spec.paused !== paused;
    if (changed) await setPaused(kube(), klingApi, paused);
    const keeper = changed ? keeperOf(klingApi) : undefined;
    if (keeper !== undefined)
      err(
        `${progressPaint.warn('warning:')} ${keeper} keeps KlingApi ${subject} and may put spec.paused back: change it at its source too\n`,
      );
    const format = options.choice('output', ['json', 'yaml']);
    out(
      format === undefined
        ? `KlingApi ${subject} in namespace ${namespace} ${changed ? 'is' : 'was'} ${paused ? 'paused' : 'not paused'}${changed ? '' : ' already'}: ${effect}\n`
        : formatted(format, { namespace, name: subject, paused, changed, keeper: keeper ?? null }),
    );
    return EXIT.ok;
  },
});

export const pause = command(
  'pause',
  true,
  'Stop every write to the children of a KlingApi, and every repair',
  'nothing is written to its children and nothing is repaired until kubectl kling resume',
);
export const resume = command(
  'resume',
  false,
  'Let the operator look after a KlingApi again',
  'the operator looks after it',
);

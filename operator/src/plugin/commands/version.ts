import packageJson from '../../../package.json' with { type: 'json' };
import { findOperators } from '../cluster/pods.ts';
import { rightInWords } from '../cluster/refusal.ts';
import { look } from '../cluster/seen.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../errors.ts';
import { OUTPUT } from '../options.ts';
import { formatted } from '../terminal/formats.ts';

export const version: Command = {
  name: 'version',
  summary: 'Print the versions of this command, the operator and the cluster',
  arguments: '',
  most: 0,
  options: OUTPUT,
  examples: ['kubectl kling version'],
  async run({ options, kube, out }) {
    const { client, namespace } = kube();
    const [server, operators] = await Promise.all([
      look(() => client.version()),
      look(() => findOperators(kube(), namespace, undefined)),
    ]);
    const images =
      operators.kind === 'Seen'
        ? operators.value.flatMap(({ spec }) => spec?.template.spec?.containers[0]?.image ?? [])
        : [];
    const missing =
      operators.kind === 'Refused'
        ? `not seen: your account may not ${rightInWords(operators.right)}`
        : operators.kind === 'Failed'
          ? `not seen: ${operators.message}`
          : 'none';
    const told = {
      plugin: packageJson.version,
      operator: images,
      kubernetes: server.kind === 'Seen' ? server.value.gitVersion : null,
    };
    const format = options.choice('output', ['json', 'yaml']);
    out(
      format === undefined
        ? `kubectl-kling  ${told.plugin}\noperator       ${images.join(', ') || missing}\nKubernetes     ${told.kubernetes ?? 'does not answer'}\n`
        : formatted(format, told),
    );
    return EXIT.ok;
  },
};

import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { namedKlingApi, nameOn } from '../cluster/klingapis.ts';
import type { Command, Invocation } from '../command.ts';
import { gather } from '../doctor/gather.ts';
import { diagnosisText } from '../doctor/text.ts';
import { walk } from '../doctor/walk.ts';
import { CommandError, EXIT } from '../errors.ts';
import { type OptionTable, OUTPUT } from '../options.ts';
import { pinnedLookup, RESOLVE } from '../resolve.ts';
import { formatted } from '../terminal/formats.ts';

export const AUTHORITY = {
  'certificate-authority': {
    type: 'string',
    value: 'FILE',
    says: 'Authority to trust for the public address, beside the usual ones',
  },
} as const satisfies OptionTable;

/** Everything in this process trusts it from now on; the API server has the authority of the kubeconfig alone. */
export async function trustAuthority({ options }: Pick<Invocation, 'options'>): Promise<void> {
  const file = options.text('certificate-authority');
  if (file === undefined) return;
  const pem = await readFile(file, 'utf8').catch(() => {
    throw new CommandError(`--certificate-authority: the file ${file} cannot be read`);
  });
  setDefaultCACertificates([...getCACertificates('default'), pem]);
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'Walk from the cluster to the upstream and say where a KlingApi breaks',
  arguments: '[NAME]',
  most: 1,
  about:
    'Looks with your rights and changes nothing: cluster, operator, KlingApi, ingress or route, Service, pods, a handshake with\neach pod through the API server, API, upstream. What you may not see is told as that. Exit code 1 where something is broken.',
  options: {
    ...OUTPUT,
    ...AUTHORITY,
    ...RESOLVE,
    'operator-namespace': {
      type: 'string',
      value: 'NAMESPACE',
      says: 'Where the operator runs; the usual places without it',
    },
  },
  examples: [
    'kubectl kling doctor studio -n media',
    'kubectl kling doctor studio -n media -o json',
    'kubectl kling doctor studio -n media --resolve kling.example.com:443:192.0.2.10',
  ],
  async run(invocation) {
    const { options, kube, out, paint, columns, now, signal } = invocation;
    await trustAuthority(invocation);
    const resolve = options.text('resolve');
    const lookup = resolve === undefined ? undefined : pinnedLookup(resolve);
    const name = nameOn(invocation) ?? (await namedKlingApi(invocation)).metadata.name;
    const diagnosis = walk(
      await gather(kube(), name, { operatorNamespace: options.text('operator-namespace'), lookup }, now),
    );
    // what was broken off by Ctrl-C looks broken
    signal.throwIfAborted();
    const format = options.choice('output', ['json', 'yaml']);
    out(format === undefined ? diagnosisText(diagnosis, paint, columns) : formatted(format, diagnosis));
    return diagnosis.answer === undefined ? EXIT.ok : EXIT.finding;
  },
};

/** The operator's deeds with a span around each. Names of attributes: OpenTelemetry's conventions where it has some. */
import type { HandshakeOptions, HandshakeResult } from '@klingapi/probe';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import type { Attributes, Trace } from './trace.ts';

const named = (kind: string | undefined, namespace: string | undefined, name: string | undefined): Attributes => ({
  'k8s.namespace.name': namespace ?? '',
  'k8s.object.kind': kind ?? '',
  'k8s.object.name': name ?? '',
});
const of = ({ kind, metadata }: KubernetesObject): Attributes => named(kind, metadata?.namespace, metadata?.name);

/** Writes only: reads come from caches, but for a few Secrets. */
export function traceWrites(client: KubeClient, trace: Trace): KubeClient {
  return {
    ...client,
    apply: (object, options) => {
      const what = options.subresource === undefined ? object.kind : `${object.kind} ${options.subresource}`;
      return trace(`apply ${what}`, of(object), () => client.apply(object, options));
    },
    create: (object, options) => trace(`create ${object.kind}`, of(object), () => client.create(object, options)),
    mergePatch: (ref, change, options) =>
      trace(`patch ${ref.kind}`, named(ref.kind, ref.namespace, ref.name), () =>
        client.mergePatch(ref, change, options),
      ),
    replace: (object, options) => trace(`replace ${object.kind}`, of(object), () => client.replace(object, options)),
    delete: (ref, options) =>
      trace(`delete ${ref.kind}`, named(ref.kind, ref.namespace, ref.name), () => client.delete(ref, options)),
  };
}

type Handshake = (options: HandshakeOptions) => Promise<HandshakeResult>;

export const traceHandshakes =
  (handshake: Handshake, trace: Trace): Handshake =>
  (options) =>
    trace('handshake', { 'server.address': new URL(options.url).host }, async (span) => {
      const result = await handshake(options);
      span.set({
        'klingapi.verdict': result.verdict,
        ...(result.diagnosis === null ? {} : { 'klingapi.diagnosis': result.diagnosis }),
      });
      return result;
    });

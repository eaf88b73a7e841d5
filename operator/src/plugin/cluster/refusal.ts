/** What the API server refused, in words that tell whom to ask for what. */
import { isForbidden, KubeError } from '../../kube/errors.ts';

export interface Refusal {
  readonly verb: string;
  /** With the subresource after a slash, and the group after a dot: `klingapis.klingapi.dev`. */
  readonly resource: string;
  /** Undefined for what has no namespace, or all of them. */
  readonly namespace: string | undefined;
}

// the authorizer's own sentence; its form is part of no contract, so whatever else comes is shown as it is
const SENTENCE =
  /cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]+)")?/;

/** @returns undefined for what is no refusal, or is none that names a right */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isForbidden(error) || !(error instanceof KubeError)) return undefined;
  const { verb, resource, group, namespace } = SENTENCE.exec(error.message)?.groups ?? {};
  if (verb === undefined || resource === undefined) return undefined;
  return { verb, resource: group === undefined || group === '' ? resource : `${resource}.${group}`, namespace };
}

/** `list pods in namespace media` */
export const rightInWords = ({ verb, resource, namespace }: Refusal): string =>
  `${verb} ${resource}${namespace === undefined ? ' in the whole cluster' : ` in namespace ${namespace}`}`;

/** @param resource as RBAC has it @returns the command that shows whether the right is there */
export const canI = ({ verb, resource, namespace }: Refusal): string =>
  `kubectl auth can-i ${verb} ${resource}${namespace === undefined ? ' -A' : ` -n ${namespace}`}`;

/** An error of the API server for a person. @param server address of the API server */
export function inWords(error: KubeError, server: string): string {
  const refusal = refusalOf(error);
  if (refusal !== undefined)
    return `your account may not ${rightInWords(refusal)}: ask for that right (it is there when "${canI(refusal)}" says yes)`;
  switch (error.code) {
    case 'Unauthorized':
      return `the API server at ${server} does not know you: the credentials of the kubeconfig are missing or out of date`;
    case 'Unreachable':
      return `the API server at ${server} does not answer (${error.message}): check the network, and that the kubeconfig is the one you mean (--kubeconfig, --context)`;
    case 'Timeout':
      return `${error.message} by ${server}: try a longer --request-timeout`;
    default:
      return error.message;
  }
}

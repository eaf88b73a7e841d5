/**
 * The closed list of diagnoses: why something does not work, in one word. The same word is in the status of the pod, in the
 * reason of a condition, in an Event and in the metric `klingoperator_diagnosis`; each has its page in docs/runbooks.
 *
 * `Process`: the fault is in the process, so a fresh pod can help; only these are repaired, and only when two observers say so.
 * `Settings`: what the image, the spec or a Secret says, which a fresh pod would say again.
 * `Cluster`: the kubelet, the scheduler or admission keeps the container from running, and goes on trying by itself.
 * `Network`: what lies between two that both work.
 * `Service`: another service than MCP.
 * `Moment`: passes by itself, and is told in the status of the pod alone.
 */
export type DiagnosisKind = 'Process' | 'Settings' | 'Cluster' | 'Network' | 'Service' | 'Moment';

const of = (kind: DiagnosisKind, meaning: string): { kind: DiagnosisKind; meaning: string } => ({ kind, meaning });

export const DIAGNOSES = {
  ProcessHung: of('Process', 'The process accepts connections but answers nothing: it hangs.'),
  SessionManagerDown: of(
    'Process',
    'The session manager of the MCP server is gone: the process lives and its port is open, but no MCP request can be answered until it starts anew.',
  ),
  HttpError: of('Process', 'The MCP endpoint answers every handshake with an HTTP server error.'),
  ConnectionRefused: of('Process', 'Nothing listens on the MCP port although the container runs.'),
  NeverEndingReply: of('Process', 'The MCP endpoint begins a reply and never ends it.'),
  EmptyReply: of('Process', 'The MCP endpoint answers with an empty reply.'),
  WrongProtocol: of('Process', 'The MCP endpoint answers, but not with MCP.'),

  RequestRefused: of('Settings', 'The server runs and refuses the request: a wrong path or Host, for example.'),
  VersionMismatch: of('Settings', 'The server names a protocol version that no client knows.'),
  EraMismatch: of('Settings', 'The server does not speak the protocol era that is asked of it.'),
  AuthRequired: of('Settings', 'The server asks for credentials, and the operator was given none.'),
  KeyInvalid: of('Settings', 'The server does not accept the credentials that the operator was given for it.'),
  LoopbackOnly: of(
    'Settings',
    'The server listens on the loopback address of its pod only, so nobody else reaches it.',
  ),
  Slow: of(
    'Settings',
    'The server serves, but needs more than half of the time that a handshake may take, or says that it is busy.',
  ),
  MissingSecret: of('Settings', 'A Secret, or a key in it, that the pods need does not exist.'),
  MissingConfigMap: of('Settings', 'A ConfigMap, or a key in it, that the pods need does not exist.'),
  RunAsNonRoot: of('Settings', 'The image would run as root, which the pod does not allow.'),
  ContainerConfig: of('Settings', 'The kubelet cannot make the container from what the pod says.'),

  CrashLoop: of('Cluster', 'The process ends again and again soon after its start.'),
  OutOfMemory: of('Cluster', 'The container was killed because it used more memory than its limit.'),
  ImagePull: of('Cluster', 'The image cannot be pulled.'),
  Unschedulable: of('Cluster', 'No node takes the pod.'),
  QuotaExceeded: of('Cluster', 'A ResourceQuota of the namespace leaves no room for the pods.'),
  PodSecurityRefused: of('Cluster', 'Pod Security of the namespace does not admit the pods.'),
  PodsRefused: of('Cluster', 'The API server does not admit the pods.'),
  NodeNotReady: of('Cluster', "The pod's node does not report to the cluster, so the pod takes no traffic."),

  NetworkBlocked: of('Network', 'The pod serves, but the operator does not reach it: a network policy, as a rule.'),
  NameResolution: of('Network', 'The name of a Service could not be resolved.'),

  ApiDown: of('Service', 'No API pod is ready.'),
  UpstreamDown: of('Service', 'Kling, or what stands for it, does not answer or fails by itself.'),
  UpstreamRateLimited: of('Service', 'Kling takes no more requests at the moment.'),
  UpstreamKeyInvalid: of('Service', 'Kling does not accept the API key.'),
  UpstreamBalanceEmpty: of('Service', 'The Kling account has nothing left to pay with.'),
  UpstreamRefused: of('Service', 'Kling refuses the request or the account for another reason.'),

  Starting: of('Moment', 'The container starts, and is inside its startup grace.'),
  Ending: of('Moment', 'The pod is being deleted.'),
  NotSeen: of('Moment', 'The operator has not looked at the pod yet.'),
  ObserversDisagree: of('Moment', 'One observer finds that the pod serves, the other does not.'),
} as const;

export type Diagnosis = keyof typeof DIAGNOSES;

export const isDiagnosis = (word: string): word is Diagnosis => Object.hasOwn(DIAGNOSES, word);

/** Whether deleting the pod can help. */
export const isProcessFault = (diagnosis: Diagnosis): boolean => DIAGNOSES[diagnosis].kind === 'Process';

/** Whether it is worth an Event: a moment passes by itself. */
export const isLasting = (diagnosis: Diagnosis): boolean => DIAGNOSES[diagnosis].kind !== 'Moment';

/** Each fault at its layer, with its words; what lies behind a layer that hides it is not known. */
import { describe, expect, it } from 'vitest';
import { handshakeOf, reportOf, T0 } from '../../testing.ts';
import { ABSENT, failed, seen } from '../cluster/seen.ts';
import { PLAIN } from '../terminal/paint.ts';
import { factsOf, podOf, wellOf, withCondition } from '../testing.ts';
import type { Facts } from './facts.ts';
import { LAYERS } from './finding.ts';
import { diagnosisText } from './text.ts';
import { walk } from './walk.ts';

const well = factsOf();
const [operator] = well.operators.kind === 'Seen' ? well.operators.value : [];
const refused = (verb: string, resource: string) =>
  ({ kind: 'Refused', right: { verb, resource, namespace: 'media' } }) as const;
const container = (state: object, more: object = {}) => ({
  phase: 'Pending',
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [{ name: 'mcp', ready: false, restartCount: 0, state, ...more }],
});
const mcpPods = (status: object): Partial<Facts> => ({
  mcp: { ...well.mcp, pods: seen([podOf('mcp', 'a', status), podOf('mcp', 'b')]) },
  handshakes: well.handshakes.slice(1),
});
const ingress = (more: Record<string, unknown> = {}) =>
  wellOf({ expose: { ingress: { host: 'kling.example.com', className: 'traefik', ...more } } });
const address = seen({ status: { loadBalancer: { ingress: [{ ip: '192.0.2.10' }] } } });
const outside = { url: 'https://kling.example.com/mcp/v1', resolves: true, handshake: handshakeOf('Serving') };
const certificate = { type: 'kubernetes.io/tls', lacks: [], expiresAt: T0 + 60 * 86_400_000, coversHost: true };
const shaken = (
  verdict: 'Failing' | 'Unreachable' | 'AuthRequired',
  diagnosis: 'SessionManagerDown' | 'ProcessHung' | null,
) => well.handshakes.map((entry) => ({ ...entry, own: handshakeOf(verdict, diagnosis) }));
const service = (more: object): Partial<Facts> => ({
  mcp: { ...well.mcp, service: { ...well.mcp.service, ...more } },
});

const CASES: [reason: string, layer: string, words: RegExp, facts: Partial<Facts>][] = [
  ['ApiServerUnreachable', 'Cluster', /refused/, { version: failed('connect ECONNREFUSED: refused') }],
  ['CrdMissing', 'Cluster', /does not know the kind/, { isServed: seen(false), klingApi: ABSENT }],
  ['OperatorMissing', 'Operator', /watches other namespaces/, { operators: seen([]) }],
  [
    'OperatorScaledToZero',
    'Operator',
    /nothing is repaired/,
    {
      operators: seen([
        { ...operator!, deployment: { ...operator!.deployment, spec: { ...operator!.deployment.spec!, replicas: 0 } } },
      ]),
    },
  ],
  [
    'OperatorNotReady',
    'Operator',
    /0 of 1 pods/,
    { operators: seen([{ ...operator!, deployment: { ...operator!.deployment, status: {} } }]) },
  ],
  [
    'NobodyLeads',
    'Operator',
    /renewed the Lease kling-operator 5m ago/,
    { operators: seen([{ ...operator!, lease: seen({ holder: 'x', renewedAt: T0 - 300_000, durationMs: 15_000 }) }]) },
  ],
  ['NotFound', 'KlingApi', /no KlingApi studio/, { klingApi: ABSENT }],
  [
    'NotObserved',
    'KlingApi',
    /watches other namespaces, or lacks rights/,
    { klingApi: seen(wellOf({}, { observedGeneration: -1 })) },
  ],
  [
    'ForeignChild',
    'KlingApi',
    /not ours/,
    { klingApi: seen(withCondition(wellOf(), 'Accepted', 'False', 'ForeignChild', 'not ours')) },
  ],
  [
    'RolledBack',
    'KlingApi',
    /never served/,
    { klingApi: seen(withCondition(wellOf(), 'Stalled', 'True', 'RolledBack', 'never served')) },
  ],
  ['IngressMissing', 'Exposure', /does not exist/, { klingApi: seen(ingress()) }],
  [
    'IngressClassMissing',
    'Exposure',
    /the cluster has nginx/,
    { klingApi: seen(ingress()), ingress: address, classes: seen({ names: ['nginx'], hasDefault: true }), outside },
  ],
  [
    'NobodyServesIngress',
    'Exposure',
    /has no address/,
    { klingApi: seen(ingress()), ingress: seen({}), classes: refused('list', 'ingressclasses') },
  ],
  [
    'TlsSecretMissing',
    'Exposure',
    /Secret studio-tls/,
    { klingApi: seen(ingress({ tlsSecretName: 'studio-tls' })), ingress: address, outside },
  ],
  [
    'CertificateExpired',
    'Exposure',
    /has ended 60m ago/,
    {
      klingApi: seen(ingress({ tlsSecretName: 'studio-tls' })),
      ...{ ingress: address, outside, certificate: seen({ ...certificate, expiresAt: T0 - 3_600_000 }) },
    },
  ],
  [
    'CertificateMismatch',
    'Exposure',
    /other names/,
    {
      klingApi: seen(ingress({ tlsSecretName: 'studio-tls' })),
      ...{ ingress: address, outside, certificate: seen({ ...certificate, coversHost: false }) },
    },
  ],
  [
    'NameUnknown',
    'Exposure',
    /does not resolve/,
    { klingApi: seen(ingress()), ingress: address, outside: { ...outside, resolves: false, handshake: undefined } },
  ],
  [
    'PublicAddressBroken',
    'Exposure',
    /the pods serve, but/,
    {
      klingApi: seen(ingress()),
      ingress: address,
      outside: { ...outside, handshake: handshakeOf('Failing', 'HttpError') },
    },
  ],
  [
    'RouteNotAccepted',
    'Exposure',
    /no such listener/,
    {
      klingApi: seen(
        wellOf({ expose: { httpRoute: { parentRefs: [{ name: 'public' }], hostnames: ['kling.example.com'] } } }),
      ),
      route: seen({ parents: [{ name: 'public', accepted: false, message: 'no such listener' }] }),
    },
  ],
  ['ServiceMissing', 'Service', /does not exist/, service({ service: ABSENT })],
  [
    'SelectorMatchesNothing',
    'Service',
    /klingapi.dev\/name=other\) matches none of its 2 pods/,
    service({ service: seen({ spec: { selector: { 'klingapi.dev/name': 'other' }, ports: [{ port: 5510 }] } }) }),
  ],
  [
    'PortMissing',
    'Service',
    /no port 5510/,
    service({ service: seen({ spec: { selector: {}, ports: [{ port: 80 }] } }) }),
  ],
  [
    'PortMismatch',
    'Service',
    /"http"/,
    service({
      service: seen({
        spec: { selector: { 'klingapi.dev/name': 'studio' }, ports: [{ port: 5510, targetPort: 'http' }] },
      }),
    }),
  ],
  ['EndpointsMissing', 'Service', /2 ready pods/, service({ endpoints: seen([]) })],
  [
    'ImagePull',
    'Pods',
    /1 of 2 pods: studio-mcp-a: not found/,
    mcpPods(container({ waiting: { reason: 'ErrImagePull', message: 'not found' } })),
  ],
  [
    'CrashLoop',
    'Pods',
    /exit code 3/,
    mcpPods(
      container(
        { waiting: { reason: 'CrashLoopBackOff' } },
        { restartCount: 4, lastState: { terminated: { exitCode: 3, finishedAt: new Date(T0 - 5_000).toISOString() } } },
      ),
    ),
  ],
  [
    'OutOfMemory',
    'Pods',
    /more memory/,
    mcpPods(
      container(
        { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: new Date(T0 - 5_000).toISOString() } },
        { restartCount: 1 },
      ),
    ),
  ],
  [
    'MissingSecret',
    'Pods',
    /secret "kling" not found/,
    {
      ...mcpPods(container({ waiting: { reason: 'ContainerCreating' } })),
      events: seen([
        { pod: 'studio-mcp-a', reason: 'FailedMount', note: 'MountVolume.SetUp failed: secret "kling" not found' },
      ]),
    },
  ],
  [
    'Unschedulable',
    'Pods',
    /0\/3 nodes/,
    mcpPods({
      phase: 'Pending',
      conditions: [
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
      ],
    }),
  ],
  [
    'QuotaExceeded',
    'Pods',
    /exceeded quota/,
    {
      mcp: {
        ...well.mcp,
        pods: seen([]),
        workload: seen({
          wanted: 2,
          conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'pods "x" is forbidden: exceeded quota: q' }],
        }),
      },
    },
  ],
  [
    'NoPodWanted',
    'Pods',
    /scaled to 0/,
    { mcp: { ...well.mcp, pods: seen([]), workload: seen({ wanted: 0, conditions: [] }) } },
  ],
  [
    'SessionManagerDown',
    'Handshake',
    /2 of 2 pods do not speak MCP/,
    { handshakes: shaken('Failing', 'SessionManagerDown') },
  ],
  ['ProcessHung', 'Handshake', /Unreachable ProcessHung/, { handshakes: shaken('Unreachable', 'ProcessHung') }],
  [
    'HttpError',
    'Handshake',
    /Failing/,
    {
      // the door is closed to the doctor, the pod itself says what is behind it
      handshakes: shaken('AuthRequired', null).map((entry) => ({
        ...entry,
        report: reportOf({ verdict: 'Failing', diagnosis: 'HttpError' }),
      })),
    },
  ],
  [
    'ApiDown',
    'API',
    /no answer in time/,
    { health: seen({ pod: 'studio-api-a', ok: false, message: 'no answer in time' }) },
  ],
  [
    'UpstreamKeyInvalid',
    'Upstream',
    /key refused/,
    { klingApi: seen(withCondition(wellOf(), 'UpstreamReachable', 'False', 'UpstreamKeyInvalid', 'key refused')) },
  ],
  ['UpstreamDown', 'Upstream', /no pod of the sandbox/, { sandbox: seen([]) }],
];

describe('the walk', () => {
  it('finds nothing where nothing is wrong', () => {
    const { answer, findings } = walk(well);
    expect(answer).toBeUndefined();
    expect(findings.map(({ layer }) => layer)).toEqual(LAYERS);
    expect(findings.map(({ state }) => state)).toEqual(['Ok', 'Ok', 'Ok', 'Unused', 'Ok', 'Ok', 'Ok', 'Ok', 'Ok']);
  });

  it.each(CASES)('finds %s at the %s', (reason, layer, words, facts) => {
    const { answer } = walk(factsOf(facts));
    expect(answer).toMatchObject({ layer, reason, state: 'Broken' });
    expect(answer?.seen).toMatch(words);
    expect(answer?.next).not.toEqual([]);
  });

  it('takes a definition that is older than the operator for a note, with what to do', () => {
    const message = 'the CustomResourceDefinition klingapis.klingapi.dev is older than this operator';
    const facts = factsOf({ klingApi: seen(withCondition(wellOf(), 'CrdOutdated', 'True', 'CrdOutdated', message)) });
    const { answer, findings } = walk(facts);
    expect(answer).toBeUndefined();
    expect(findings[0]).toMatchObject({ layer: 'Cluster', state: 'Note', reason: 'CrdOutdated', seen: message });
    expect(diagnosisText(walk(facts), PLAIN, 120)).toContain(
      'kubectl apply --server-side --force-conflicts -f crds.yaml',
    );
  });

  it('tells of a public address that fails for the operator, where this machine gets through', () => {
    const exposure = {
      ...{ url: 'https://kling.example.com/mcp/v1', result: 'Failed', reason: 'HttpError' },
      ...{ message: 'POST answered HTTP 404', since: new Date(T0 - 300_000).toISOString() },
    };
    const exposedAt = (url: string) => wellOf({ expose: { url } }, { exposure });
    const seenAt = (url: string) =>
      walk(factsOf({ klingApi: seen(exposedAt(url)), outside })).findings.find(({ layer }) => layer === 'Exposure');
    expect(seenAt('https://kling.example.com')).toMatchObject({
      state: 'Note',
      reason: 'HttpError',
      seen: 'the public address fails for the operator (first seen 5m ago): POST answered HTTP 404',
    });
    // what was seen at another address says nothing of this one
    expect(seenAt('https://other.example.com')).toMatchObject({ state: 'Ok' });
  });

  it('stops where nothing further in can be known', () => {
    const { findings } = walk(
      factsOf({ version: failed('no answer'), isServed: failed('no answer'), klingApi: failed('no answer') }),
    );
    expect(findings.slice(1).every(({ state, reason }) => state === 'Unknown' && reason === 'Behind')).toBe(true);
  });

  it('takes the first that is broken for the answer', () => {
    const facts = factsOf({
      handshakes: shaken('Failing', 'SessionManagerDown'),
      sandbox: seen([]),
      operators: seen([]),
    });
    expect(walk(facts).answer?.layer).toBe('Operator');
    expect(
      walk(facts)
        .findings.filter(({ state }) => state === 'Broken')
        .map(({ layer }) => layer),
    ).toEqual(['Operator', 'Handshake', 'Upstream']);
  });

  it('blames no public address for pods that do not serve', () => {
    const facts = factsOf({
      klingApi: seen(ingress()),
      ingress: address,
      classes: refused('list', 'ingressclasses'),
      outside: { ...outside, handshake: handshakeOf('Failing', 'HttpError') },
      handshakes: shaken('Failing', 'SessionManagerDown'),
    });
    expect(walk(facts).answer?.layer).toBe('Handshake');
  });

  it('asks nothing of pods that do not run, and does not repeat what is wrong with them', () => {
    const waiting = podOf('mcp', 'a', container({ waiting: { reason: 'ErrImagePull', message: 'not found' } }));
    const { findings } = walk(factsOf({ mcp: { ...well.mcp, pods: seen([waiting]) }, handshakes: [] }));
    expect(findings.find(({ layer }) => layer === 'Handshake')).toMatchObject({ state: 'Unknown', reason: 'NoPod' });
  });

  it('says which right is missing, and goes on with what the operator saw', () => {
    const right = refused('list', 'pods');
    const facts = factsOf({
      operators: refused('list', 'deployments.apps'),
      mcp: { pods: right, service: { service: right, endpoints: right }, workload: right },
      api: { pods: right, service: { service: right, endpoints: right }, workload: right },
      sandbox: right,
      handshakes: [],
      health: ABSENT,
    });
    const { answer, findings } = walk(facts);
    expect(answer).toBeUndefined();
    expect(findings.find(({ layer }) => layer === 'Pods')).toMatchObject({
      state: 'Unknown',
      reason: 'Forbidden',
      seen: 'the pods: your account may not list pods in namespace media',
    });
    expect(findings.find(({ layer }) => layer === 'Handshake')).toMatchObject({
      state: 'Ok',
      seen: expect.stringContaining('as the operator saw it'),
    });
  });

  it.each([
    ['paused', { paused: true }, 'Paused'],
    ['off', { remediation: { mode: 'Off' } }, 'ModeOff'],
  ])('notes that a KlingApi is %s', (_, spec, reason) => {
    const { answer, findings } = walk(factsOf({ klingApi: seen(wellOf(spec)) }));
    expect(answer).toBeUndefined();
    expect(findings[2]).toMatchObject({ state: 'Note', reason });
  });

  it.each([
    ['doctor.well', well],
    ['doctor.session-manager', factsOf({ handshakes: shaken('Failing', 'SessionManagerDown') })],
    [
      'doctor.class',
      factsOf({ klingApi: seen(ingress()), ingress: seen({}), classes: seen({ names: ['nginx'], hasDefault: false }) }),
    ],
    [
      'doctor.unreachable',
      factsOf({ version: failed('connect ECONNREFUSED'), isServed: failed(''), klingApi: failed('') }),
    ],
  ])('is printed as %s', async (name, facts) => {
    await expect(diagnosisText(walk(facts), PLAIN, 100)).toMatchFileSnapshot(`../golden/${name}.golden.txt`);
  });
});

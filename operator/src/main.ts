/** The operator process: settings, connections, caches, election, and the loop in `reconcile.ts`. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger, createRegistry, drainOnSignal, readEnvironment, startManagement } from '@klingapi/management';
import { createHandshaker, redact } from '@klingapi/probe';
import { KubeConfig, type KubernetesObject, type V1Pod } from '@kubernetes/client-node';
import { createAnnounce } from './announce.ts';
import { createApplier, FIELD_MANAGER } from './apply/applier.ts';
import { createSecrets } from './apply/secrets.ts';
import type { Context } from './context.ts';
import { createLiveDefinition } from './definition/live.ts';
import { createClient } from './kube/client.ts';
import { systemClock } from './kube/clock.ts';
import { createController } from './kube/controller.ts';
import { createEventRecorder } from './kube/events.ts';
import { createGate } from './kube/gate.ts';
import { createHealth } from './kube/health.ts';
import { createInformer } from './kube/informer.ts';
import { KINDS, type Kind, OPTIONAL_KINDS } from './kube/kinds.ts';
import { createLeaderElection } from './kube/leader-election.ts';
import { createKubeMetrics } from './kube/metrics.ts';
import { createOptionalInformer } from './kube/optional-informer.ts';
import { createOperatorMetrics } from './metrics.ts';
import { createPodObserver } from './observe/pods.ts';
import { createReadable, type Readable, UnreadableError } from './readable.ts';
import { reconcile } from './reconcile.ts';
import { stormIn } from './remediation/storm.ts';
import type { KlingApi } from './resource/klingapi.ts';
import { type Component, MANAGED_BY, NAME_LABEL } from './resource/names.ts';
import { createTurns } from './rollout/turns.ts';
import { settingsSchema } from './settings.ts';
import { childKeys, childSource, klingApiSource, onDeleted } from './sources.ts';
import { createPace } from './status/pace.ts';
import { printable } from './status/printable.ts';
import { createStatusWriter } from './status/write.ts';
import { OFF } from './tracing/trace.ts';
import { traceHandshakes, traceWrites } from './tracing/traced.ts';
import { tellUnreadable } from './unreadable.ts';
import { createExposureCheck } from './verification/exposure-check.ts';
import { createVerificationJobs } from './verification/jobs.ts';
import { allowedLookup, clusterDomain } from './verification/public-addresses.ts';
import { createVerifier } from './verification/verifier.ts';

/** Time that looks have to come to their end when the process is told to go. */
const STOP_MS = 500;

const settings = readEnvironment(settingsSchema, process.env, { files: ['LOG_SIGNATURES'] });
const log = createLogger({ name: 'operator', level: settings.LOG_LEVEL });
const registry = createRegistry('operator');
const kubeMetrics = createKubeMetrics(registry);
const { now } = systemClock;
const metrics = createOperatorMetrics(registry, systemClock.monotonic);
const actor = `${settings.POD_NAME}_${randomBytes(4).toString('hex')}`;

// loaded only where it is asked for
const tracing =
  settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
    ? OFF
    : (await import('./tracing/otlp.ts')).startOtlp({
        service: settings.OTEL_SERVICE_NAME,
        resource: { 'service.instance.id': actor, 'k8s.namespace.name': settings.POD_NAMESPACE },
        log,
      });
const { trace } = tracing;

// remembers what each server is, so that an old one keeps one session
const handshake = traceHandshakes(createHandshaker(), trace);

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const client = createClient(kubeConfig, { metrics: kubeMetrics, userAgent: 'kling-operator' });
/** What only the leader may do. */
const gate = createGate(traceWrites(client, trace));

const informer = <T extends KubernetesObject>(kind: Kind, ours = true) =>
  createInformer<T>({
    client,
    kind,
    namespaces: settings.WATCH_NAMESPACES,
    ...(ours ? { labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}`, indexLabels: [NAME_LABEL] } : {}),
    keepManagers: [FIELD_MANAGER],
    clock: systemClock,
    random: Math.random,
    log,
    metrics: kubeMetrics,
  });

const klingApis = informer(KINDS.KlingApi, false);
const pods = informer<V1Pod>(KINDS.Pod);
const children = [
  KINDS.Deployment,
  KINDS.StatefulSet,
  KINDS.Service,
  KINDS.ServiceAccount,
  KINDS.PersistentVolumeClaim,
  KINDS.HorizontalPodAutoscaler,
  KINDS.PodDisruptionBudget,
  KINDS.NetworkPolicy,
  KINDS.Ingress,
  KINDS.ControllerRevision,
].map((kind) => informer(kind));
const informers = [klingApis, pods, ...children];
const optional = OPTIONAL_KINDS.map((kind) =>
  createOptionalInformer({
    client,
    kind: KINDS[kind],
    create: () => informer(KINDS[kind]),
    keysOf: childKeys,
    onTurn: () => lookAtAll(),
    clock: systemClock,
    log,
  }),
);
const optionalOf = (kind: string) => optional.find((entry) => entry.kind.kind === kind);
const childCaches = new Map(children.map((entry) => [entry.cache.kind.kind, entry.cache]));

const lookAtAll = (): void => {
  // whoever starts later looks at every KlingApi anyway
  if (!klingApis.cache.synced) return;
  for (const { metadata } of klingApis.cache.list())
    controller.enqueue({ namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' }, 'low');
};
const definition = createLiveDefinition({
  client,
  onLook: (missing) => metrics.definition(missing),
  onTurn: lookAtAll,
  clock: systemClock,
  log,
});
const statuses = createStatusWriter(gate.client, definition);
const secrets = createSecrets(gate.client, now, Math.random);
const pace = createPace(systemClock);
const lookAgain = (uid: string): void => {
  const found = klingApis.cache.list().find((object) => object.metadata?.uid === uid)?.metadata;
  if (found !== undefined) controller.enqueue({ namespace: found.namespace ?? '', name: found.name ?? '' });
};
const jobs = createVerificationJobs(now, lookAgain);
const exposure = createExposureCheck({
  handshake,
  lookup: allowedLookup(),
  domain: clusterDomain(await readFile('/etc/resolv.conf', 'utf8').catch(() => '')),
  now,
  pause: (ms) => pause(ms),
  onDone: lookAgain,
});
const recorder = createEventRecorder({
  client,
  clock: systemClock,
  log,
  reportingController: 'klingapi.dev/operator',
  reportingInstance: settings.POD_NAME,
  redact: (note) => printable(redact(note, [], 1024)),
});

const podsOf = ({ metadata }: KlingApi, component: Component): V1Pod[] =>
  pods.cache
    .byLabel(NAME_LABEL, metadata.name, metadata.namespace)
    .filter((pod) => pod.metadata?.labels?.['app.kubernetes.io/component'] === component);

/** Identities are `<pod>_<random>`. */
const holderPod = (holder: string | undefined): string | null => holder?.split('_')[0] ?? null;

const stored = createReadable();
/** With what this process last said of each, where the definition in the cluster has no place for all of it. */
const readable: Readable = {
  one: (object) => statuses.recall(stored.one(object)),
  all: (objects) => stored.all(objects).map(statuses.recall),
};
const allKlingApis = (): KlingApi[] => readable.all(klingApis.cache.list());

const deps: Context = {
  client: gate.client,
  caches: {
    klingApi(namespace, name) {
      const object = klingApis.cache.get(namespace, name);
      return object === undefined ? undefined : readable.one(object);
    },
    mcpPods: (klingApi) => podsOf(klingApi, 'mcp'),
    apiPods: (klingApi) => podsOf(klingApi, 'api'),
    child: (kind, namespace, name) => (childCaches.get(kind) ?? optionalOf(kind))?.get(namespace, name),
    serves: (kind) => optionalOf(kind)?.served() === true,
    // a StatefulSet keeps revisions of its own, with the labels of its template
    revisions: ({ metadata }) =>
      (childCaches.get('ControllerRevision')?.byLabel(NAME_LABEL, metadata.name, metadata.namespace) ?? []).filter(
        (object) => object.metadata?.labels?.['app.kubernetes.io/component'] === 'mcp',
      ),
  },
  applier: createApplier(gate.client),
  secrets,
  observer: createPodObserver({
    handshake,
    fetch,
    now,
    onHandshake: ({ metadata }, result) => metrics.handshake(metadata.namespace, metadata.name, result.verdict),
    onLook: (...look) => page?.saw(...look),
  }),
  verifier: createVerifier({ jobs, secrets, handshake, fetch, now, pause: (ms) => pause(ms) }),
  exposure,
  announce: createAnnounce(recorder, log),
  statuses,
  definition,
  pace,
  together: gate.together,
  trace,
  metrics,
  log,
  images: {
    mcp: settings.IMAGE_MCP,
    api: settings.IMAGE_API,
    sandbox: settings.IMAGE_SANDBOX,
    probe: settings.IMAGE_PROBE,
    pullPolicy: settings.IMAGE_PULL_POLICY,
    pullSecrets: settings.IMAGE_PULL_SECRETS,
  },
  operator: { namespace: settings.POD_NAMESPACE, labels: { 'app.kubernetes.io/name': settings.OPERATOR_NAME } },
  signatures: settings.LOG_SIGNATURES,
  turns: createTurns(settings.MAX_CONCURRENT_ROLLOUTS, allKlingApis, now),
  storm: (since) =>
    stormIn(
      allKlingApis(),
      {
        klingApis: settings.STORM_KLINGAPIS,
        percent: settings.STORM_PERCENT,
        windowSeconds: settings.STORM_WINDOW_SECONDS,
      },
      since,
    ),
  actor,
  now,
};

const controller = createController({
  name: 'klingapi',
  sources: [
    klingApiSource(klingApis.cache),
    childSource(pods.cache as typeof klingApis.cache),
    ...children.map((entry) => childSource(entry.cache)),
    ...optional.map((entry) => entry.source),
  ],
  reconcile: (key, signal) =>
    trace('reconcile', { 'k8s.namespace.name': key.namespace, 'klingapi.name': key.name }, () =>
      reconcile(key, signal, deps).catch(async (error: unknown) => {
        if (error instanceof UnreadableError) await tellUnreadable(error, { ...deps, recorder });
        throw error;
      }),
    ),
  // a hung pod takes the time of two handshakes, a minute each at most, and must still be repaired
  reconcileTimeoutMs: 180_000,
  waitMs: pace.waitMs,
  workers: settings.WORKERS,
  clock: systemClock,
  random: Math.random,
  log,
  metrics: kubeMetrics,
});

onDeleted(klingApis.cache, (uid) => {
  for (const memory of [deps.applier, deps.observer, deps.turns, jobs, exposure, statuses]) memory.forget(uid);
});

const election = createLeaderElection({
  client,
  namespace: settings.POD_NAMESPACE,
  name: settings.LEADER_ELECTION_LEASE,
  identity: actor,
  clock: systemClock,
  random: Math.random,
  log,
  metrics: kubeMetrics,
  onStarted: () => void controller.start(),
  // a Lease fences nothing, so whoever lost it must not go on
  onLost: (reason) => {
    log.error({ reason }, 'Leadership was lost');
    process.exit(1);
  },
});

const health = createHealth({ client, reflectors: informers.flatMap((entry) => entry.reflectors), clock: systemClock });
const answer = (check: typeof health.live) => async () => {
  const report = await check();
  return { status: report.ok ? 200 : 503, body: report };
};
const management = await startManagement({
  port: settings.MANAGEMENT_PORT,
  host: settings.HOST,
  registry,
  routes: { '/healthz': answer(() => health.live()), '/readyz': answer(() => health.ready()) },
});

// loaded only where it is asked for
const page =
  settings.CONSOLE_PORT === undefined
    ? undefined
    : await (await import('./console/start.ts')).startConsole({
        port: settings.CONSOLE_PORT,
        cache: klingApis.cache,
        readable,
        operator: () => ({
          pod: settings.POD_NAME,
          namespace: settings.POD_NAMESPACE,
          leading: !settings.LEADER_ELECTION || election.isLeader(),
          leader: settings.LEADER_ELECTION ? holderPod(election.holder()) : settings.POD_NAME,
        }),
        clock: systemClock,
      });

for (const entry of [...informers, ...optional, definition]) entry.start();
if (settings.LEADER_ELECTION) election.start();
else void controller.start();
log.info(
  {
    actor,
    namespaces: settings.WATCH_NAMESPACES,
    leaderElection: settings.LEADER_ELECTION,
    port: management.port,
    consolePort: page?.port,
  },
  'Operator was started',
);

drainOnSignal({
  seconds: settings.DRAIN_SECONDS,
  logger: log,
  steps: [
    // whoever takes over is not kept waiting by a look that waits for a pod
    {
      name: 'writes',
      run: async () => {
        await Promise.race([controller.stop(STOP_MS), pause(STOP_MS)]);
        await gate.close();
      },
    },
    ...(settings.LEADER_ELECTION ? [{ name: 'election', run: () => election.stop() }] : []),
    {
      name: 'informers',
      run: async () => void (await Promise.all([...informers, ...optional, definition].map((entry) => entry.stop()))),
    },
    { name: 'events', run: () => recorder.flush() },
    { name: 'traces', run: () => tracing.close() },
    { name: 'console', run: async () => await page?.close() },
    { name: 'management', run: () => management.close() },
    { name: 'client', run: () => client.close() },
  ],
});

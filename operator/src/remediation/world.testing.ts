/** A Deployment of MCP pods as data, for histories: it rolls without unavailable pods, and its pods fail as they are told to. */
import { type Plan, plan } from '../plan.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { KlingApiStatus, Revisions } from '../resource/status.ts';
import { choose } from '../rollout/choose.ts';
import { nextRevisions } from '../rollout/revisions.ts';
import { handshakeOf, klingApiOf, planInputOf, podOf, reportOf, T0 } from '../testing.ts';
import type { Repair } from './decide.ts';
import { givenUp } from './incident.ts';
import type { PodObservation } from './observation.ts';
import { writeDown } from './write-down.ts';

export interface WorldPod {
  uid: string;
  createdAt: number;
  revision: string;
  restartedAt: string | null;
  /** Begin of its failure, null while it serves. */
  brokenAt: number | null;
  ending: boolean;
}

export interface Action {
  at: number;
  repair: Repair;
  /** The pods at that time. */
  pods: WorldPod[];
}

/** Where pods break again: nowhere, in every pod of revision r2, in every pod. */
export type Lasting = 'Never' | 'Revision' | 'Always';

/** What the spec says of repairs: `spec.remediation.mode`, or `spec.paused`. */
export type Mode = 'Auto' | 'DryRun' | 'Off' | 'Paused';

interface ReplicaSet {
  revision: string;
  restartedAt: string | null;
  wanted: number;
}

export class World {
  now = T0;
  pods: WorldPod[] = [];
  /** Revision that the spec asks for. */
  wanted = 'r1';
  generation = 1;
  mode: Mode = 'Auto';
  lasting: Lasting = 'Never';
  /** Whether the checks of a revision that serves pass. */
  verifies = true;
  status: Partial<KlingApiStatus> = {
    revisions: { current: 'r1', verified: 'r1', since: new Date(T0 - 3_600_000).toISOString() },
    observedGeneration: 1,
  };
  readonly actions: Action[] = [];
  private template: { revision: string; restartedAt: string | null } = { revision: 'r1', restartedAt: null };
  private sets: ReplicaSet[] = [];
  private count = 0;
  private readonly spec: Record<string, unknown>;
  private readonly replicas: number;

  constructor(spec: Record<string, unknown>, replicas: number) {
    this.spec = spec;
    this.replicas = replicas;
    const set = this.setOf('r1', null);
    set.wanted = replicas;
    for (let n = 0; n < replicas; n += 1) this.create(set, T0 - 60_000);
  }

  get alive(): WorldPod[] {
    return this.pods.filter((pod) => !pod.ending);
  }

  /** Revision that is applied. */
  get revision(): string {
    return this.template.revision;
  }

  get serving(): boolean {
    return this.alive.length === this.replicas && this.alive.every((pod) => pod.brokenAt === null);
  }

  get exhausted(): boolean {
    return this.status.remediation?.exhaustedSince !== undefined;
  }

  /** One look of the operator, and what the cluster makes of it. @returns the plan */
  look(): Plan {
    const klingApi = this.klingApi();
    const revisions = klingApi.status?.revisions ?? {};
    const made = plan(
      planInputOf(klingApi, this.observe(), {
        workload: {
          revision: this.template.revision,
          restartedAt: this.template.restartedAt ?? undefined,
          rollingOut: this.rollingOut,
        },
        takeVerification: () => ({ summary: '1/1', checks: [], at: new Date(this.now).toISOString() }),
      }),
      this.now,
    );
    const doomed = made.steps.flatMap(({ record, next }) => (next.kind === 'Delete' ? [record.podUid] : []));
    let { state, repairs } = made;
    let asked: Pick<Parameters<typeof nextRevisions>[0], 'restartedAt' | 'rejected'> = {
      restartedAt: undefined,
      rejected: undefined,
    };
    if (made.decision.kind === 'Exhausted') state = givenUp(state, made.decision.cause, this.generation, this.now);
    if (made.decision.kind === 'Repair') {
      const repair = made.decision;
      this.actions.push({ at: this.now, repair, pods: structuredClone(this.pods) });
      const written = writeDown({ klingApi, plan: made, repair, actor: 'me', log: '', finding: undefined }, this.now);
      ({ state, repairs } = written);
      asked = { restartedAt: written.restartedAt, rejected: written.rejected };
      if (repair.action === 'RestartPod') doomed.push(repair.pod.uid);
    }
    for (const pod of this.pods) if (doomed.includes(pod.uid)) pod.ending = true;
    this.status = {
      remediation: state,
      repairs,
      observedGeneration: this.generation,
      revisions: nextRevisions(
        {
          previous: revisions,
          current: this.template.revision,
          generation: this.generation,
          complete: !this.rollingOut && this.serving,
          verification: this.verification(),
          ...asked,
          withdrawn: made.withdrawn,
          liveRestartedAt: this.template.restartedAt ?? undefined,
        },
        this.now,
      ),
    };
    this.roll();
    return made;
  }

  /** As a Deployment counts it: whether other pods than those of the newest template are left, not whether they are ready. */
  private get rollingOut(): boolean {
    return this.alive.length !== this.replicas || !this.alive.every((pod) => this.isNew(pod));
  }

  private isNew(pod: WorldPod): boolean {
    return pod.revision === this.template.revision && pod.restartedAt === this.template.restartedAt;
  }

  private klingApi(): KlingApi {
    const said =
      this.mode === 'Paused'
        ? { paused: true }
        : { remediation: { ...(this.spec['remediation'] as object), mode: this.mode } };
    const klingApi = klingApiOf({ ...this.spec, ...said }, this.status);
    return { ...klingApi, metadata: { ...klingApi.metadata, generation: this.generation } };
  }

  private verification(): Parameters<typeof nextRevisions>[0]['verification'] {
    if (!this.verifies || !this.serving || this.rollingOut) return undefined;
    return { summary: '1/1', checks: [], at: new Date(this.now).toISOString(), revision: this.template.revision };
  }

  private create({ revision, restartedAt }: ReplicaSet, at: number): void {
    const broken = this.lasting === 'Always' || (this.lasting === 'Revision' && revision === 'r2');
    this.pods.push({
      uid: `p${this.count++}`,
      createdAt: Math.floor(at / 1_000) * 1_000,
      revision,
      restartedAt,
      brokenAt: broken ? at : null,
      ending: false,
    });
  }

  private applied(revisions: Revisions): string {
    return choose({
      wanted: this.wanted,
      live: this.template.revision,
      revisions,
      generation: this.generation,
      asked: true,
      mayRoll: () => true,
      isKept: () => true,
    }).revision;
  }

  /** What the Deployment's controller does in the time of a look. */
  private roll(): void {
    const revisions = this.status.revisions ?? {};
    // what is paused keeps the template that it has; a restart that is stopped does not reach it
    if (this.mode === 'Auto')
      this.template = { revision: this.applied(revisions), restartedAt: revisions.restartedAt ?? null };
    else if (this.mode !== 'Paused') this.template = { ...this.template, revision: this.applied(revisions) };
    this.pods = this.alive;
    const newest = this.setOf(this.template.revision, this.template.restartedAt);
    const old = this.sets.filter((set) => set !== newest);
    const podsOf = (set: ReplicaSet): WorldPod[] =>
      this.pods.filter((pod) => pod.revision === set.revision && pod.restartedAt === set.restartedAt);
    const scaleDown = (set: ReplicaSet): void => {
      const pods = podsOf(set);
      const goes = pods.find((pod) => pod.brokenAt !== null) ?? pods[0];
      set.wanted -= 1;
      if (goes !== undefined) goes.ending = true;
    };
    const total = (): number => this.sets.reduce((sum, set) => sum + set.wanted, 0);
    const unready = podsOf(newest).filter((pod) => pod.brokenAt !== null).length;
    const sick = (set: ReplicaSet): boolean => set.wanted > 0 && podsOf(set).some((pod) => pod.brokenAt !== null);
    let spare = total() - this.replicas - unready;
    for (let set = old.find(sick); set !== undefined && spare > 0; spare -= 1) {
      scaleDown(set);
      set = old.find(sick);
    }
    if (this.alive.filter((pod) => pod.brokenAt === null).length > this.replicas) {
      const set = old.find((entry) => entry.wanted > 0);
      if (set !== undefined) scaleDown(set);
    }
    if (newest.wanted < this.replicas && total() <= this.replicas) newest.wanted += 1;
    for (const set of this.sets)
      for (let missing = set.wanted - podsOf(set).filter((pod) => !pod.ending).length; missing > 0; missing -= 1)
        this.create(set, this.now);
    this.sets = this.sets.filter((set) => set.wanted > 0 || set === newest);
  }

  private setOf(revision: string, restartedAt: string | null): ReplicaSet {
    const found = this.sets.find((set) => set.revision === revision && set.restartedAt === restartedAt);
    if (found !== undefined) return found;
    const made = { revision, restartedAt, wanted: 0 };
    this.sets.push(made);
    return made;
  }

  private observe(): PodObservation[] {
    return this.pods.map((pod) => {
      const { uid, createdAt, revision, restartedAt, brokenAt } = pod;
      const base = podOf({ name: `pod-${uid}`, uid, createdAt, revision, restartedAt, deleting: pod.ending });
      if (brokenAt === null) return base;
      const failures = 1 + Math.floor((this.now - brokenAt) / 5_000);
      return {
        ...base,
        ready: { value: false, since: brokenAt + 5_000 },
        probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures, failingSince: brokenAt }),
        own: { last: handshakeOf('Failing', 'HttpError'), at: this.now, failures, failingSince: brokenAt },
      };
    });
  }
}

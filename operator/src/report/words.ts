/** Everything that a report says by itself, in one language; what was recorded stays as it was recorded. */
import type { Diagnosis } from '../remediation/diagnoses.ts';
import type { Check, RepairRecord } from '../resource/status.ts';
import { CHINESE } from './chinese.ts';
import { ENGLISH } from './english.ts';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Words {
  /** As HTML names it. */
  readonly tag: string;
  title(name: string, namespace: string): string;
  readonly fields: Readonly<
    Record<'record' | 'pod' | 'action' | 'outcome' | 'began' | 'ended' | 'unavailable' | 'underWay', string>
  >;
  ended(time: string, seconds: string): string;
  unavailable(seconds: string): string;
  action(repair: RepairRecord): string;
  readonly outcomes: Readonly<Record<NonNullable<RepairRecord['outcome']>, string>>;
  readonly sections: Readonly<Record<'problem' | 'cause' | 'steps' | 'verification' | 'comparison', string>>;
  readonly evidence: Readonly<Record<'status' | 'reply' | 'log', string>>;
  failures(count: number, since: string | undefined): string;
  meaning(diagnosis: Diagnosis | undefined): string;
  /** Stands before the message of a recurrence. */
  readonly cameBack: string;
  readonly stepHead: readonly [string, string, string, string];
  readonly notDone: string;
  /** Follows the number of checks that passed. */
  passed(at: string): string;
  readonly checkHead: readonly [string, string, string, string];
  result(result: Check['result']): string;
  readonly comparisonHead: readonly [string, string, string];
  readonly comparison: Readonly<Record<'handshake' | 'pod' | 'serving' | 'checks' | 'time', string>>;
  /** Between a word and what explains it. */
  readonly colon: string;
}

export const wordsOf = (language: Language): Words => ({ en: ENGLISH, zh: CHINESE })[language];

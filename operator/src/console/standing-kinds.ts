/** In the order in which they are shown: who needs a person comes first. */
export const STANDINGS = ['NeedsPerson', 'Repairing', 'Troubled', 'Starting', 'Paused', 'Well'] as const;
export type StandingKind = (typeof STANDINGS)[number];

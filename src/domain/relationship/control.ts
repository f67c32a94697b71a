// Whom one party controls: whole through more than half of the votes, its own and those of whom it controls already, or by being the
// actual controller.

import { WHOLE } from './fraction.ts';
import type { Holding } from './ownership.ts';

export interface Controller {
  /** Of its relation. */
  readonly id: string;
  readonly controller: string;
  readonly firm: string;
}

export interface Votes {
  readonly byHolder: ReadonlyMap<string, readonly Holding[]>;
  readonly byController: ReadonlyMap<string, readonly Controller[]>;
}

export function votesOf(holdings: readonly Holding[], controllers: readonly Controller[]): Votes {
  return { byHolder: Map.groupBy(holdings, ({ holder }) => holder), byController: Map.groupBy(controllers, ({ controller }) => controller) };
}

/** Every firm that a party controls, itself not among them. */
export function controlledBy(party: string, { byHolder, byController }: Votes): ReadonlySet<string> {
  const members = new Set([party]);
  const units = new Map<string, number>();
  for (const member of members) {
    for (const { firm } of byController.get(member) ?? []) members.add(firm);
    for (const holding of byHolder.get(member) ?? []) {
      const votes = (units.get(holding.firm) ?? 0) + holding.units;
      units.set(holding.firm, votes);
      if (votes > WHOLE / 2) members.add(holding.firm);
    }
  }
  members.delete(party);
  return members;
}

/** How many of a firm's votes a party casts, in millionths of a percent: its own, and those of whom it controls. */
export function votesIn(firm: string, party: string, controlled: ReadonlySet<string>, { byHolder }: Votes): number {
  let units = 0;
  for (const member of [party, ...controlled])
    if (member !== firm) for (const holding of byHolder.get(member) ?? []) if (holding.firm === firm) units += holding.units;
  return units;
}

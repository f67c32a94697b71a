// Who has the last word on each field of a customer. What loses is kept and shown with where it came from.

/** `core`: a core system's newest report, and staff's only until there is one. `own`: the bank's staff here, whatever a core system says. */
export type Authority = 'core' | 'own';

export const authority = {
  kind: 'core',
  name: 'core',
  birthDate: 'core',
  sex: 'core',
  documents: 'core',
  branch: 'core',
  verifiedContacts: 'own',
  preferences: 'own',
  tags: 'own',
  manager: 'own',
} as const satisfies Readonly<Record<string, Authority>>;

/** Of what a core system and staff here say of a field, what counts; null where neither says anything. */
export function counting<Value>(field: keyof typeof authority, said: { readonly core: Value | null; readonly own: Value | null }): Value | null {
  return authority[field] === 'core' ? (said.core ?? said.own) : (said.own ?? said.core);
}

// What a ticket and a customer may answer, as plainly as it can be said: a pure model beside the product, which knows nothing of its code.
// A command under a key that was used before gives the first answer; If-Match is looked at before the rules.

export type Step = {
  readonly do: 'assign' | 'start' | 'resolve' | 'reopen' | 'close' | 'tag' | 'untag' | 'move' | 'add-contact' | 'verify-contact';
  readonly value: string;
  readonly key: string;
  /** The revision named by If-Match. */
  readonly ifMatch?: number | undefined;
};

/** As short as answers can be told: `200 3`, `409`, `412`, `422`, `404`. */
export type Said = string;

export interface Modelled {
  readonly kind: 'ticket' | 'customer';
  readonly revision: number;
  readonly status: 'open' | 'assigned' | 'in-progress' | 'resolved' | 'closed';
  readonly assignee: string | undefined;
  readonly tags: readonly string[];
  readonly branch: string;
  readonly contacts: readonly { readonly verified: boolean }[];
  /** What was said of each command that wrote, by what was asked under which key. */
  readonly done: Readonly<Record<string, { readonly value: string; readonly said: Said }>>;
}

export const created = (kind: Modelled['kind']): Modelled => ({
  kind,
  revision: 0,
  status: 'open',
  assignee: undefined,
  tags: [],
  branch: '3100',
  contacts: [],
  done: {},
});

type Change = Partial<Modelled> | 'same' | 'refused' | 'missing';

/** The answer, and how things stand after it. */
export function answer(thing: Modelled, step: Step): readonly [Said, Modelled] {
  // What stands in the path is part of what the key is for; another body under it is refused.
  const name = /^(?:untag|verify-contact)$/.test(step.do) ? `${step.do} ${step.value} ${step.key}` : `${step.do} ${step.key}`;
  const before = thing.done[name];
  if (before) return [before.value === step.value ? before.said : '422', thing];
  if (step.ifMatch !== undefined && step.ifMatch !== thing.revision) return ['412', thing];
  const change = changeOf(thing, step);
  if (change === 'same') return [`200 ${thing.revision}`, thing];
  if (change === 'refused') return ['409', thing];
  if (change === 'missing') return ['404', thing];
  const revision = thing.revision + 1;
  const said = `200 ${revision}`;
  return [said, { ...thing, ...change, revision, done: { ...thing.done, [name]: { value: step.value, said } } }];
}

function changeOf(thing: Modelled, step: Step): Change {
  return thing.kind === 'ticket' ? ticketChange(thing, step) : customerChange(thing, step);
}

function ticketChange({ status, assignee }: Modelled, { do: action, value }: Step): Change {
  switch (action) {
    case 'assign':
      if (status === 'resolved' || status === 'closed') return 'refused';
      return status !== 'open' && assignee === value ? 'same' : { status: 'assigned', assignee: value };
    case 'start':
      if (status === 'in-progress') return 'same';
      return status === 'open' || status === 'assigned' ? { status: 'in-progress', assignee: assignee ?? 'ops' } : 'refused';
    case 'resolve':
      return status === 'in-progress' ? { status: 'resolved' } : 'refused';
    case 'reopen':
      if (status !== 'resolved' && status !== 'closed') return 'refused';
      return { status: assignee === undefined ? 'open' : 'assigned' };
    case 'close':
      if (status === 'closed') return 'same';
      return status === 'resolved' ? { status: 'closed' } : 'refused';
    default:
      throw new Error(`${action} is nothing that a ticket knows`);
  }
}

function customerChange({ tags, branch, contacts }: Modelled, { do: action, value }: Step): Change {
  switch (action) {
    case 'tag':
      return tags.includes(value) ? 'same' : { tags: [...tags, value] };
    case 'untag':
      return tags.includes(value) ? { tags: tags.filter((tag) => tag !== value) } : 'same';
    case 'move':
      return branch === value ? 'same' : { branch: value };
    case 'add-contact':
      return { contacts: [...contacts, { verified: false }] };
    case 'verify-contact': {
      const at = Number(value) - 1;
      if (!contacts[at]) return 'missing';
      return contacts[at].verified ? 'same' : { contacts: contacts.with(at, { verified: true }) };
    }
    default:
      throw new Error(`${action} is nothing that a customer knows`);
  }
}

/** How things may stand after steps that were asked at once and said what they said: by each order that explains it; none where none does. */
export function explained(thing: Modelled, steps: readonly Step[], said: readonly Said[]): readonly Modelled[] {
  if (steps.length === 0) return [thing];
  const found = steps.flatMap((step, at) => {
    const [expected, after] = answer(thing, step);
    return expected === said[at] ? explained(after, steps.toSpliced(at, 1), said.toSpliced(at, 1)) : [];
  });
  // Orders that lead to the same are one.
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

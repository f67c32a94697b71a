// What several rows use: started by the first that asks for it, taken away after the last.
import { Scope } from './scope.ts';

export class Shared {
  readonly scope = new Scope();
  readonly #made = new Map<string, Promise<unknown>>();

  /** The same under the same name. What could not be made is tried again by whoever asks next. */
  once<Made>(name: string, make: (scope: Scope) => Promise<Made>): Promise<Made> {
    const known = this.#made.get(name);
    if (known !== undefined) return known as Promise<Made>;
    const made = make(this.scope);
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }
}

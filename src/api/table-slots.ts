// How many tables may be on their way at once. Each holds a page or two in memory for as long as its reader takes, some megabytes
// where rows are long; a thousand readers of a byte a second would take it all.
import { Problem, RETRY_SOON } from './problems.ts';

const MOST = 32;

export class TableSlots {
  #taken = 0;

  /** Gives back what was taken; once, however often it is called. @throws Problem Unavailable where all are taken */
  take(): () => void {
    if (this.#taken >= MOST) throw new Problem('Unavailable', 'As many tables as may be are being read just now.', { headers: RETRY_SOON });
    this.#taken += 1;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#taken -= 1;
    };
  }
}

// What the engine tells of itself: plain functions, filled in by whoever composes the process (metrics.ts, logging.ts).

export interface Committed {
  readonly events: number;
  readonly rows: number;
  readonly parked: number;
  /** From the folded unit to its commit. */
  readonly seconds: number;
}

export interface EngineMetrics {
  /** A unit of a projection was committed. */
  readonly committed: (projection: string, unit: Committed) => void;
  /** The auditor compared a chunk's receipt with the journal. */
  readonly audited: (projection: string, equal: boolean) => void;
}

export const noMetrics: EngineMetrics = { committed: () => {}, audited: () => {} };

/** pino's way of logging: fields first, then a constant message. */
export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

// Figures for Prometheus. Requests are counted in plain arrays, one per route, and turned into its text when asked: prom-client's
// own counters build a key of every label at every observation: 430 ns a request here, against 8. Ids are never labels.
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import type { EngineMetrics } from '../projections/engine/observe.ts';

const BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/** The requests of one route. */
export class RouteMeter {
  readonly method: string;
  readonly route: string;
  /** Answers by hundred: [2] is 2xx. */
  readonly byClass = [0, 0, 0, 0, 0, 0];
  /** Answers that took up to each bound and no less than the one before; the last is for longer. */
  readonly byBucket: number[] = new Array(BUCKETS_MS.length + 1).fill(0);
  sumMs = 0;

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }

  count(status: number, tookMs: number): void {
    const hundred = (status / 100) | 0;
    this.byClass[hundred] = (this.byClass[hundred] ?? 0) + 1;
    let bucket = 0;
    while (bucket < BUCKETS_MS.length && tookMs > (BUCKETS_MS[bucket] as number)) bucket += 1;
    this.byBucket[bucket] = (this.byBucket[bucket] ?? 0) + 1;
    this.sumMs += tookMs;
  }
}

/** What may be shown of the projections' lag. */
export interface LagOf {
  readonly projection: string;
  readonly events: number;
  readonly seconds: number;
}

export interface MetricsParts {
  readonly lag?: (() => Promise<readonly LagOf[]>) | undefined;
  /** How far the journal was published to NATS, and how many positions are behind that; absent where nothing is published. */
  readonly published?: (() => Promise<{ readonly position: number; readonly behind: number }>) | undefined;
  /** The age of the oldest open transaction in seconds. */
  readonly oldestTransaction?: (() => Promise<number>) | undefined;
}

export class ApiMetrics {
  readonly registry = new Registry();
  readonly #meters: RouteMeter[] = [];
  readonly #batches: Histogram;
  readonly #handled: Counter<'projection'>;
  readonly #parked: Counter<'projection'>;
  readonly #unequal: Counter<'projection'>;

  constructor({ lag, published, oldestTransaction }: MetricsParts = {}) {
    const { registry } = this;
    collectDefaultMetrics({ register: registry });
    // The registry asks a metric for its name and its values, and no more.
    registry.registerMetric({ name: 'shiji_http_requests_total', get: async () => this.#requests() } as unknown as Metric);
    registry.registerMetric({ name: 'shiji_http_request_seconds', get: async () => this.#latencies() } as unknown as Metric);
    this.#batches = new Histogram({
      name: 'shiji_journal_batch_appends',
      help: 'Commands that shared one commit',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers: [registry],
    });
    const ofProjection = (name: string, help: string): Counter<'projection'> =>
      new Counter({ name, help, labelNames: ['projection'], registers: [registry] });
    this.#handled = ofProjection('shiji_projection_events_total', 'Events that the read model was offered and has committed');
    this.#parked = ofProjection('shiji_projection_parked_events_total', 'Events parked because their fold threw');
    this.#unequal = ofProjection('shiji_projection_receipts_unequal_total', "Receipts that differed from the journal's own sums");
    if (published) registerPublished(registry, published);
    if (oldestTransaction) registerOldest(registry, oldestTransaction);
    if (lag === undefined) return;
    const labelNames = ['projection'] as const;
    const events = new Gauge({
      name: 'shiji_projection_lag_events',
      help: 'Events that the read model has not handled yet',
      labelNames,
      registers: [registry],
    });
    new Gauge({
      name: 'shiji_projection_lag_seconds',
      help: 'Age of the oldest event that the read model has not handled yet',
      labelNames,
      registers: [registry],
      async collect() {
        for (const one of await lag()) {
          events.set({ projection: one.projection }, one.events);
          this.set({ projection: one.projection }, one.seconds);
        }
      },
    });
  }

  meter(method: string, route: string): RouteMeter {
    const known = this.#meters.find((meter) => meter.method === method && meter.route === route);
    if (known) return known;
    const meter = new RouteMeter(method, route);
    this.#meters.push(meter);
    return meter;
  }

  /** The journal's: how many appends went in one commit. */
  journalBatch(appends: number): void {
    this.#batches.observe(appends);
  }

  /** The projection engine's. */
  readonly engine: EngineMetrics = {
    committed: (projection, { events, parked }) => {
      this.#handled.inc({ projection }, events);
      if (parked > 0) this.#parked.inc({ projection }, parked);
    },
    audited: (projection, equal) => {
      if (!equal) this.#unequal.inc({ projection });
    },
  };

  #requests() {
    const values = this.#meters.flatMap(({ method, route, byClass }) =>
      byClass.flatMap((value, hundred) => (value === 0 ? [] : [{ value, labels: { method, route, status: `${hundred}xx` } }])),
    );
    return { name: 'shiji_http_requests_total', help: 'Requests answered', type: 'counter', aggregator: 'sum', values };
  }

  #latencies() {
    const name = 'shiji_http_request_seconds';
    const values = this.#meters.flatMap(({ method, route, byBucket, sumMs }) => {
      let upTo = 0;
      const buckets = byBucket.map((count, index) => {
        upTo += count;
        const bound = BUCKETS_MS[index];
        return { metricName: `${name}_bucket`, value: upTo, labels: { method, route, le: bound === undefined ? '+Inf' : bound / 1_000 } };
      });
      if (upTo === 0) return [];
      return [
        ...buckets,
        { metricName: `${name}_sum`, value: sumMs / 1_000, labels: { method, route } },
        { metricName: `${name}_count`, value: upTo, labels: { method, route } },
      ];
    });
    return { name, help: 'From the headers of a request to the start of its answer', type: 'histogram', aggregator: 'sum', values };
  }
}

function registerOldest(registry: Registry, seconds: () => Promise<number>): void {
  new Gauge({
    name: 'shiji_database_oldest_transaction_seconds',
    help: 'Age of the oldest open transaction in the database, of any session: it holds back vacuum and perhaps others',
    registers: [registry],
    async collect() {
      this.set(await seconds());
    },
  });
}

function registerPublished(registry: Registry, published: NonNullable<MetricsParts['published']>): void {
  const gauge = (name: string, help: string, which: 'position' | 'behind'): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set((await published())[which]);
      },
    });
  gauge('shiji_published_position', 'Position up to which events were published to NATS', 'position');
  gauge('shiji_published_lag_events', 'Events that were not published to NATS yet', 'behind');
}

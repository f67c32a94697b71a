-- How far the journal was published to NATS (processes/nats-publisher.ts). Who publishes is a lease of the engine's (engine.leases).
create schema publisher;
grant usage on schema publisher to shiji_app;

create table publisher.checkpoints (
  -- The JetStream stream's.
  name text primary key,
  journal_id uuid not null,
  -- Everything up to here was acknowledged, or is not for publishing.
  position bigint not null,
  -- The last event that was acknowledged, to tell another journal at the same length.
  last_event_id uuid,
  last_event_position bigint,
  last_event_stream text,
  last_event_revision integer,
  -- Its message's sequence in the stream, and when that was made: a new stream is filled from the start.
  sequence bigint not null,
  stream_created text not null,
  -- Of the lease under which it was written: a holder with an older one writes nothing.
  fence bigint not null,
  updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
grant select, insert, update, delete on publisher.checkpoints to shiji_app;

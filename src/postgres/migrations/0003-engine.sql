-- The projection engine's books: how far each read model has got, what it was offered, what is parked, who runs it.
-- All of it but the skips, the orders and the controls can be made again from the journal.
create schema engine;
grant usage on schema engine to shiji_app;

create table engine.checkpoints (
  projection text primary key,
  -- Where its table is now; empty until it is built for the first time.
  schema_name text not null default '',
  version integer not null default 0,
  -- SHA-256 of the table's declaration: another shape is built anew.
  shape text not null default '',
  journal_id uuid,
  position bigint not null default 0,
  -- The last event it was offered, to tell another journal at the same length. Its stream and revision find it again on any store.
  last_event_id uuid,
  last_event_position bigint,
  last_event_stream text,
  last_event_revision integer,
  status text not null default 'building' check (status in ('building', 'live', 'unknown-event')),
  -- By an operator's command; beside the status, so that resuming goes on where it was.
  paused boolean not null default false,
  -- Of the lease under which it was last taken: a holder with an older one writes nothing.
  fence bigint not null default 0,
  -- One sentence on why it stands still; no personal data.
  detail text,
  updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- One row a projection and chunk of positions, written in the transaction of the rows it vouches for.
create table engine.receipts (
  projection text not null,
  chunk bigint not null,
  offered bigint not null,
  -- Folded, or of no matter to this read model. Fewer than offered while events are parked, and for good where one was skipped.
  handled bigint not null,
  -- Sum of the last 12 hex digits of the ids of the offered events, modulo 2^48.
  id_sum bigint not null,
  primary key (projection, chunk)
) with (fillfactor = 50);

-- What the auditor found when it compared a receipt with the journal itself.
create table engine.audits (
  projection text not null,
  chunk bigint not null,
  expected bigint not null,
  expected_sum bigint not null,
  offered bigint not null,
  offered_sum bigint not null,
  equal boolean not null,
  audited_at timestamptz not null default clock_timestamp(),
  primary key (projection, chunk)
);

-- From which position a chunk can be read: positions need not be dense in every store.
create table engine.chunk_starts (
  chunk bigint primary key,
  after_position bigint not null
);

-- Events held back because their row's fold threw, or because an earlier one of the same key did.
create table engine.parked (
  projection text not null,
  -- A row's key, or `stream:<stream>` where not even the keys could be told.
  key text not null,
  position bigint not null,
  event_id uuid not null,
  stream text not null,
  revision integer not null,
  -- Of the first of its key only; no personal data.
  error text,
  first boolean not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (projection, key, position)
);

-- Events that an operator has decided to leave out for one key; a rebuild and a replay leave them out too.
create table engine.skips (
  projection text not null,
  key text not null,
  position bigint not null,
  primary key (projection, key, position)
);

-- Retries and skips asked for by control events, until the holder of the projection's lease has done them.
create table engine.orders (
  projection text not null,
  -- Position of the control event.
  position bigint not null,
  kind text not null check (kind in ('retry', 'skip')),
  key text not null,
  parked_position bigint,
  primary key (projection, position)
);

-- How far the control events have been followed.
create table engine.controls (
  one boolean primary key default true check (one),
  journal_id uuid,
  position bigint not null default 0
);
insert into engine.controls default values;

create table engine.leases (
  name text primary key,
  holder text not null,
  fence bigint not null,
  until timestamptz not null
) with (fillfactor = 50);

-- Read models of a past day that GETs can be served from.
create table engine.replays (
  name text primary key,
  schema_name text not null unique,
  projections text[] not null,
  -- As they were asked for; null is now.
  until text,
  known_at text,
  position bigint not null,
  built_at timestamptz not null default clock_timestamp()
);

grant select, insert, update, delete on all tables in schema engine to shiji_app;

-- The read models belong to the app role: the projector makes and drops its own tables.
create schema read authorization shiji_app;

-- A schema of its own for a replay. A function, because a grant on the database would not follow into a copy or a dump.
create function engine.create_schema(p_name text) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
  if p_name !~ '^(replay|build)_[a-z0-9_]{1,50}$' then
    raise exception 'a schema of read models is named replay_… or build_…' using errcode = 'invalid_schema_name';
  end if;
  execute format('create schema %I authorization shiji_app', p_name);
end $$;
revoke all on function engine.create_schema from public;
grant execute on function engine.create_schema to shiji_app;

-- Runs of feeds: how far each got, for whoever brings it. Results line by line are spooled to disk (feeds/spool.ts), not here.
create schema feeds;
grant usage on schema feeds to shiji_app;

create table feeds.runs (
  id uuid primary key,
  kind text not null,
  subject text not null,
  status text not null check (status in ('running', 'finished', 'failed')),
  lines integer not null default 0,
  created integer not null default 0,
  repeated integer not null default 0,
  rejected integer not null default 0,
  -- Of the last event that this run brought or met again; 0 for none.
  position bigint not null default 0,
  detail text,
  started_at timestamptz not null,
  updated_at timestamptz not null
);
create index runs_by_subject on feeds.runs (subject, started_at, id);
grant select, insert, update on feeds.runs to shiji_app;

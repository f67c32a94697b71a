-- The record of reads: who was shown which personal data, written before its bytes leave (src/api/read-record.ts). Only ever added
-- to, like the journal; no role may change or remove a row.
create schema access;
grant usage on schema access to shiji_app;

create table access.reads (
  id bigint generated always as identity primary key,
  -- By the one clock, not the database's.
  read_at timestamptz not null,
  subject text not null,
  role text not null,
  on_behalf_of text,
  method text not null,
  route text not null,
  -- What or whom it was about: of a list, every item shown.
  ids text[] not null,
  fields text[] not null,
  purpose text,
  outcome text not null check (outcome in ('shown', 'denied')),
  request_id text not null,
  correlation_id text not null,
  -- Names of the query's parameters and a keyed hash of it: what was searched for may itself be personal.
  filter text[] not null,
  filter_hash text
);
create index reads_by_subject on access.reads (subject, id);
create index reads_by_id on access.reads using gin (ids);
-- The clock only moves forward, so times rise with the table.
create index reads_by_time on access.reads using brin (read_at) with (autosummarize = on);

create function access.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the record of reads is append-only: % on % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete or truncate on access.reads
  for each statement execute function access.refuse_change();

grant select, insert on access.reads to shiji_app;

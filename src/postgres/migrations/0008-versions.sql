-- Versions side by side: beside a projection's live table one more may stand by, with a checkpoint of its own named `<projection>+standby`,
-- and receipts, audits and parked events under that name. A swap exchanges the two in one transaction (projections/engine/swap.ts).
alter table engine.checkpoints
  -- `next` is to be swapped in, `kept` was live before, `withdrawn` was rolled back from: no program of its version builds it by itself.
  add column standing text not null default 'live' check (standing in ('live', 'next', 'kept', 'withdrawn')),
  -- Of the one that is next: as soon as it has caught up, on an operator's word, or because live is to be rolled back to it.
  add column swap text not null default 'auto' check (swap in ('auto', 'manual', 'rollback')),
  -- Of the live one: a rebuild was asked for and is not begun yet, and how it is to be swapped in.
  add column rebuild text check (rebuild in ('auto', 'manual')),
  add column began_at timestamptz not null default clock_timestamp(),
  -- Columns that a newer program's queries name, added empty to a table of an older version.
  add column added text[] not null default '{}',
  -- What the rows of the two differed in, compared at one position before the swap. Counts only.
  add column diff jsonb;

create or replace function engine.create_schema(p_name text) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
  if p_name !~ '^(replay|build|kept)_[a-z0-9_]{1,50}$' then
    raise exception 'a schema of read models is named replay_…, build_… or kept_…' using errcode = 'invalid_schema_name';
  end if;
  execute format('create schema %I authorization shiji_app', p_name);
end $$;

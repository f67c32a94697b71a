-- What only one customer may have (an identity document, a source's customer): on either journal, and rebuilt from it (claims/).
create schema claims;
grant usage on schema claims to shiji_app;

create table claims.holders (
  -- HMAC-SHA-256 of kind and value under a key of its own: the value stands nowhere.
  hash bytea primary key,
  holder text not null,
  taken_at timestamptz not null default clock_timestamp()
);
create index holders_by_holder on claims.holders (holder);
grant select, insert, update, delete on claims.holders to shiji_app;

-- How far the journal was read for claims.
create table claims.progress (
  journal uuid primary key,
  position bigint not null
);
grant select, insert, update, delete on claims.progress to shiji_app;

-- All or none: `taken` are those that the holder did not have before, at the time that they were taken; where another holds one, none is
-- taken and `held_by` says who. One asks again for what one has: its time is then new, so that nobody takes it over meanwhile.
create function claims.take(p_holder text, p_hashes bytea[]) returns table (hash bytea, held_by text, taken text)
language plpgsql as $$
#variable_conflict use_column
declare
  fresh bytea[];
begin
  with wanted as (
    insert into claims.holders as h (hash, holder)
    -- In one order everywhere, or two that take the same two would wait for each other.
    select w, p_holder from unnest(p_hashes) w order by w
    on conflict (hash) do update set taken_at = clock_timestamp() where h.holder = excluded.holder
    returning h.hash, (h.xmax = 0) as is_fresh
  )
  select coalesce(array_agg(wanted.hash) filter (where wanted.is_fresh), '{}') into fresh from wanted;
  return query select h.hash, h.holder, null::text from claims.holders h where h.hash = any(p_hashes) and h.holder <> p_holder;
  if found then
    delete from claims.holders h where h.hash = any(fresh) and h.holder = p_holder;
  else
    return query select h.hash, null::text, h.taken_at::text from claims.holders h where h.hash = any(fresh);
  end if;
end $$;
grant execute on function claims.take(text, bytea[]) to shiji_app;

-- The journal: a gapless head row gives the one global order, a guard row a stream its revision, and the events are only ever
-- added to. journal.append is the only way in; no role may change or remove an event (docs/adr/0002).
create schema journal;
grant usage on schema journal to shiji_app;

create table journal.head (
  one boolean primary key default true check (one),
  journal_id uuid not null default gen_random_uuid(),
  position bigint not null default 0,
  -- Epoch milliseconds by the one clock, not the database's.
  recorded_at_ms bigint not null default 0
) with (fillfactor = 10);
insert into journal.head default values;

create table journal.streams (
  stream text primary key,
  -- One of 1,024, fixed for ever, so that projections can be sharded and re-sharded.
  slice smallint not null,
  revision integer not null,
  first_position bigint not null,
  last_position bigint not null
) with (fillfactor = 80);

create table journal.events (
  position bigint not null,
  stream text not null,
  revision integer not null,
  id uuid not null,
  type text not null,
  recorded_at_ms bigint not null,
  -- Both kept as written: never jsonb, which reorders keys, drops duplicates and renumbers.
  data text not null,
  metadata text not null,
  primary key (position)
) partition by range (position);
create index events_by_stream on journal.events (stream, revision);
-- Mostly ciphertext, which does not compress: Postgres is not to try.
alter table journal.events alter column data set storage external, alter column metadata set storage external;

create function journal.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is append-only: % on % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete or truncate on journal.events
  for each statement execute function journal.refuse_change();

-- Attached, not created in place, so that neither readers nor writers wait for it.
create function journal.add_partition(p_from bigint) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
  v_width constant bigint := 5000000;
  v_lower constant bigint := p_from / v_width * v_width;
  v_name constant text := format('events_%s', lpad((v_lower / v_width)::text, 6, '0'));
begin
  if to_regclass('journal.' || v_name) is not null then return; end if;
  -- Whole in its page up to a page: most events are a little over the 2 kB at which Postgres would move texts out of line.
  execute format('create table journal.%I (like journal.events including defaults including constraints including storage) with (toast_tuple_target = 8160)', v_name);
  execute format('alter table journal.%I add check (position >= %s and position < %s)', v_name, v_lower, v_lower + v_width);
  execute format('create trigger append_only before update or delete or truncate on journal.%I for each statement execute function journal.refuse_change()', v_name);
  execute format('alter table journal.events attach partition journal.%I for values from (%s) to (%s)', v_name, v_lower, v_lower + v_width);
  execute format('grant select on journal.%I to shiji_app', v_name);
end $$;
select journal.add_partition(0);
select journal.add_partition(5000000);

-- One batch of appends, each to a stream of its own, each with its own outcome: a conflict fails nobody else. Events stand flat:
-- p_append names each one's append (from 1), p_place its place in it (from 0). p_key_*: data keys of streams that are created with
-- their own, written only where their append is.
-- Current revisions come by a sub-select a stream: joined, the generic plan scanned the table.
create function journal.append(
  p_now_ms bigint, p_streams text[], p_slices smallint[], p_expected integer[], p_counts integer[],
  p_append integer[], p_place integer[], p_ids uuid[], p_types text[], p_data text[], p_metadata text[],
  p_key_append integer[], p_key_ids bigint[], p_key_retentions text[], p_key_masters smallint[], p_key_wrapped bytea[]
) returns table (appended boolean, repeated boolean, revision integer, "position" bigint, recorded_at_ms bigint)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  v_head bigint;
  v_now bigint;
  v_ok boolean[];
  v_repeated boolean[];
  v_revision integer[];
  v_last bigint[];
  v_at bigint[];
  v_refused integer[];
  v_found record;
begin
  select h.position, greatest(h.recorded_at_ms, p_now_ms) into v_head, v_now from journal.head h for update;

  select array_agg(a.current = a.expected order by a.n), array_agg(a.current order by a.n), array_agg(false order by a.n)
    into v_ok, v_revision, v_repeated
    from (
      select i.n, i.expected, coalesce((select s.revision from journal.streams s where s.stream = i.stream), -1) as current
        from unnest(p_streams, p_expected) with ordinality as i(stream, expected, n)
    ) a;

  -- A key that is there already without its stream (drawn for another store's journal) is that append's own conflict, nobody else's.
  if array_upper(p_key_append, 1) > 0 then
    with kept as (
      insert into keys.data_keys (id, subject, retention, master_version, wrapped)
        select k.id, p_streams[k.a], k.retention, k.master, k.wrapped
          from unnest(p_key_append, p_key_ids, p_key_retentions, p_key_masters, p_key_wrapped) as k(a, id, retention, master, wrapped)
         where v_ok[k.a]
      on conflict (subject, retention, version) do nothing
      returning id
    )
    select array_agg(k.a) into v_refused
      from unnest(p_key_append, p_key_ids) as k(a, id)
     where v_ok[k.a] and not exists (select from kept where kept.id = k.id);
    if v_refused is not null then
      select array_agg(o.ok and o.n <> all (v_refused) order by o.n) into v_ok from unnest(v_ok) with ordinality as o(ok, n);
    end if;
  end if;

  select array_agg(case when b.ok then b.expected + b.count else b.current end order by b.n),
         array_agg(v_head + b.upto order by b.n),
         array_agg(v_now order by b.n)
    into v_revision, v_last, v_at
    from (
      select i.*, sum(case when i.ok then i.count else 0 end) over (order by i.n) as upto
        from unnest(v_ok, v_revision, p_expected, p_counts) with ordinality as i(ok, current, expected, count, n)
    ) b;

  insert into journal.streams as s (stream, slice, revision, first_position, last_position)
    select i.stream, i.slice, i.expected + i.count, v_last[i.n] - i.count + 1, v_last[i.n]
      from unnest(p_streams, p_slices, p_expected, p_counts) with ordinality as i(stream, slice, expected, count, n)
     where v_ok[i.n] and i.count > 0
    on conflict (stream) do update set revision = excluded.revision, last_position = excluded.last_position;

  insert into journal.events (position, stream, revision, id, type, recorded_at_ms, data, metadata)
    select v_last[e.a] - p_counts[e.a] + 1 + e.n, p_streams[e.a], p_expected[e.a] + 1 + e.n, e.id, e.type, v_now, e.data, e.metadata
      from unnest(p_append, p_place, p_ids, p_types, p_data, p_metadata) as e(a, n, id, type, data, metadata)
     where v_ok[e.a];

  if v_last[array_upper(v_last, 1)] > v_head then
    update journal.head h set position = v_last[array_upper(v_last, 1)], recorded_at_ms = v_now;
    if (v_last[array_upper(v_last, 1)] / 1000000) <> (v_head / 1000000) then
      perform journal.add_partition(v_last[array_upper(v_last, 1)] + 5000000);
    end if;
    perform pg_notify('journal', '');
  end if;

  -- A retry finds its own ids where it would have written them, and gets the first answer again. All of a batch in one look.
  if not (true = all (v_ok)) then
    for v_found in
      select e.a, max(w.position) as position, max(w.revision) as revision, max(w.recorded_at_ms) as at
        from unnest(p_append, p_place, p_ids) as e(a, n, id)
        left join lateral (
          select o.position, o.revision, o.recorded_at_ms from journal.streams s join journal.events o
              on o.stream = s.stream and o.position between s.first_position and s.last_position
           where s.stream = p_streams[e.a] and o.revision = p_expected[e.a] + 1 + e.n and o.id = e.id
        ) w on true
       where not v_ok[e.a]
       group by e.a
      having count(w.position) = count(*)
    loop
      v_ok[v_found.a] := true;
      v_repeated[v_found.a] := true;
      v_revision[v_found.a] := v_found.revision;
      v_last[v_found.a] := v_found.position;
      v_at[v_found.a] := v_found.at;
    end loop;
  end if;

  return query select * from unnest(v_ok, v_repeated, v_revision, v_last, v_at);
end $$;

-- The last position recorded at or before an instant: times never fall with position, so it is found by halving.
create function journal.position_at(p_ms bigint) returns bigint language plpgsql stable as $$
declare
  v_low bigint := 0;
  v_high bigint;
  v_middle bigint;
begin
  select h.position into v_high from journal.head h;
  while v_low < v_high loop
    v_middle := (v_low + v_high + 1) / 2;
    if (select e.recorded_at_ms from journal.events e where e.position = v_middle) <= p_ms then
      v_low := v_middle;
    else
      v_high := v_middle - 1;
    end if;
  end loop;
  return v_low;
end $$;

revoke all on function journal.append, journal.add_partition from public;
grant execute on function journal.append, journal.position_at to shiji_app;
grant select on journal.head, journal.streams, journal.events to shiji_app;

-- Tables that are written all day: when they are vacuumed, and partitions of the journal made ahead without anyone waiting for them
-- (docs/adr/0015). Each setting takes a lock that neither readers nor writers wait for.

-- One row or a few, rewritten at every batch. A page's dead versions go as it is written again; what a long snapshot held back goes here,
-- and the file is never cut off at its end: that would wait for, and hold up, whoever writes next.
alter table journal.head set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000, vacuum_truncate = off);
alter table engine.checkpoints set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000, vacuum_truncate = off);
alter table engine.leases set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000, vacuum_truncate = off);
alter table publisher.checkpoints set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000, vacuum_truncate = off);
-- The last chunk's rows are rewritten, the others rest.
alter table engine.receipts set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000, vacuum_truncate = off);

-- A row a stream, each rewritten a few times and then never: a fiftieth of them, not a fifth, so that a vacuum of a hundred million rows
-- is not put off until twenty million are dead. Statistics of its columns change with its size only.
alter table journal.streams set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 10000);

-- Only ever added to: vacuumed by what is new, and frozen then and there, so that no page of it is looked at again and no wraparound
-- vacuum reads years of it at once.
alter table access.reads set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000,
  autovacuum_freeze_min_age = 0, autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 50000);
alter table keys.data_keys set (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_freeze_min_age = 0);

-- Read models that are there already; the engine makes new ones like this (projections/engine/table-sql.ts).
do $$
declare
  v_table regclass;
begin
  for v_table in select oid::regclass from pg_class where relnamespace = 'read'::regnamespace and relkind = 'r' loop
    execute format('alter table %s set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500,
      autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000)', v_table);
  end loop;
end $$;

do $$
declare
  v_partition regclass;
begin
  for v_partition in select inhrelid::regclass from pg_inherits where inhparent = 'journal.events'::regclass loop
    execute format('alter table %s set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 250000,
      autovacuum_freeze_min_age = 0, autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 50000)', v_partition);
  end loop;
end $$;

-- As before, and vacuumed as above.
create or replace function journal.add_partition(p_from bigint) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
  v_width constant bigint := 5000000;
  v_lower constant bigint := p_from / v_width * v_width;
  v_name constant text := format('events_%s', lpad((v_lower / v_width)::text, 6, '0'));
begin
  if to_regclass('journal.' || v_name) is not null then return; end if;
  -- Whole in its page up to a page: most events are a little over the 2 kB at which Postgres would move texts out of line.
  execute format('create table journal.%I (like journal.events including defaults including constraints including storage) with (
    toast_tuple_target = 8160, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 250000,
    autovacuum_freeze_min_age = 0, autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 50000)', v_name);
  execute format('alter table journal.%I add check (position >= %s and position < %s)', v_name, v_lower, v_lower + v_width);
  execute format('create trigger append_only before update or delete or truncate on journal.%I for each statement execute function journal.refuse_change()', v_name);
  execute format('alter table journal.events attach partition journal.%I for values from (%s) to (%s)', v_name, v_lower, v_lower + v_width);
  execute format('grant select on journal.%I to shiji_app', v_name);
end $$;

-- As before, but that no append waits for who analyses the journal: the next partition is tried for at each million, without waiting, a
-- whole width ahead, and only made at any price where it is needed now.
create or replace function journal.append(
  p_now_ms bigint, p_streams text[], p_slices smallint[], p_expected integer[], p_counts integer[],
  p_append integer[], p_place integer[], p_ids uuid[], p_types text[], p_data text[], p_metadata text[],
  p_key_append integer[], p_key_ids bigint[], p_key_retentions text[], p_key_masters smallint[], p_key_wrapped bytea[]
) returns table (appended boolean, repeated boolean, revision integer, "position" bigint, recorded_at_ms bigint)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  v_width constant bigint := 5000000;
  v_try_each constant bigint := 1000000;
  v_to bigint;
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

  v_to := coalesce(v_last[array_upper(v_last, 1)], v_head);
  -- Only where each try before was in vain: better wait than refuse.
  if v_to / v_width <> v_head / v_width then perform journal.add_partition(v_to); end if;

  insert into journal.events (position, stream, revision, id, type, recorded_at_ms, data, metadata)
    select v_last[e.a] - p_counts[e.a] + 1 + e.n, p_streams[e.a], p_expected[e.a] + 1 + e.n, e.id, e.type, v_now, e.data, e.metadata
      from unnest(p_append, p_place, p_ids, p_types, p_data, p_metadata) as e(a, n, id, type, data, metadata)
     where v_ok[e.a];

  if v_to > v_head then
    update journal.head h set position = v_to, recorded_at_ms = v_now;
    if v_to / v_try_each <> v_head / v_try_each then
      begin
        lock table only journal.events in share update exclusive mode nowait;
        perform journal.add_partition(v_to + v_width);
      exception when lock_not_available then
        -- Somebody analyses the journal or changes it: five tries come before the partition is needed.
        null;
      end;
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

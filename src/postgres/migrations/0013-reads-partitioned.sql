-- The record of reads by ranges of its id, as the journal by its positions: old ranges can be moved to cold storage whole, and indexes stay
-- of one size. Times rise with the ids, so a range is a time as well, whatever the clock says. What was there is the first partition.
do $$
declare
  v_bound constant bigint := (select (regexp_match(pg_get_constraintdef(oid), 'id < ''?(\d+)'))[1]
                                from pg_constraint where conrelid = 'access.reads'::regclass and conname = 'reads_before');
  v_last bigint;
  v_first constant text := format('reads_%s', lpad((v_bound / 5000000 - 1)::text, 6, '0'));
  v_index text;
begin
  lock table access.reads in access exclusive mode;
  execute format('select last_value from %s', pg_get_serial_sequence('access.reads', 'id')) into v_last;
  alter table access.reads alter column id drop identity;
  execute format('create sequence access.read_ids as bigint start %s', v_last + 1);
  alter table access.reads alter column id set default nextval('access.read_ids');

  for v_index in select indexrelid::regclass::text from pg_index where indrelid = 'access.reads'::regclass loop
    execute format('alter index %s rename to %I', v_index, replace(split_part(v_index, '.', 2), 'reads', v_first));
  end loop;
  execute format('alter table access.reads rename to %I', v_first);
  execute format('create table access.reads (like access.%I including defaults including constraints including storage) partition by range (id)', v_first);
  alter table access.reads drop constraint reads_before;
  alter table access.reads add primary key (id);
  create index reads_by_subject on access.reads (subject, id);
  create index reads_by_id on access.reads using gin (ids);
  create index reads_by_time on access.reads using brin (read_at) with (autosummarize = on);
  create index reads_on_documents on access.reads (subject, read_at)
    where fields && array['document-known-to-bank', 'document-not-known-to-bank']::text[];
  create trigger append_only before update or delete or truncate on access.reads for each statement execute function access.refuse_change();
  -- Checked already, and its indexes are these.
  execute format('alter table access.reads attach partition access.%I for values from (minvalue) to (%s)', v_first, v_bound);
  execute format('revoke insert on access.%I from shiji_app', v_first);
end $$;
alter sequence access.read_ids owned by access.reads.id;
grant usage on sequence access.read_ids to shiji_app;
grant select, insert on access.reads to shiji_app;

-- The partition of the next id and the one after, where they are not there yet. False where another is at it, or analyses the record, and
-- nobody is to wait.
create function access.add_partitions(p_wait boolean) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  v_width constant bigint := 5000000;
  v_next constant bigint := (select last_value from access.read_ids) / v_width;
  v_name text;
begin
  if p_wait then
    lock table only access.reads in share update exclusive mode;
  else
    begin
      lock table only access.reads in share update exclusive mode nowait;
    exception when lock_not_available then
      return false;
    end;
  end if;
  for v_number in v_next .. v_next + 1 loop
    v_name := format('reads_%s', lpad(v_number::text, 6, '0'));
    -- The first one has also what would be before it.
    continue when exists (select from pg_inherits i join pg_class c on c.oid = i.inhrelid
                           where i.inhparent = 'access.reads'::regclass and c.relname >= v_name);
    execute format('create table access.%I (like access.reads including defaults including constraints including storage) with (
      autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000, autovacuum_freeze_min_age = 0,
      autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 50000)', v_name);
    execute format('create trigger append_only before update or delete or truncate on access.%I for each statement execute function access.refuse_change()', v_name);
    execute format('alter table access.reads attach partition access.%I for values from (%s) to (%s)', v_name, v_number * v_width, (v_number + 1) * v_width);
    execute format('grant select on access.%I to shiji_app', v_name);
  end loop;
  return true;
end $$;
revoke all on function access.add_partitions from public;
grant execute on function access.add_partitions to shiji_app;
select access.add_partitions(true);

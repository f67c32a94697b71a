-- The record of reads becomes partitions in three files, a transaction each, so that nobody waits for its rows to be looked through
-- (docs/adr/0015). First what its present rows and the next millions keep to; of what is there nothing is checked yet.
do $$
declare
  v_width constant bigint := 5000000;
  v_most_meanwhile constant bigint := 2000000;
  v_last bigint;
begin
  select coalesce(max(id), 0) into v_last from access.reads;
  execute format('alter table access.reads add constraint reads_before check (id < %s) not valid', ((v_last + v_most_meanwhile) / v_width + 1) * v_width);
end $$;

-- Data keys for sealing, one a subject (a customer, an account, or a stream about nobody yet) and retention class, wrapped by the
-- master key. Destroying one is a delete of its wrapped bytes: the row stays and says when, so that erasure is told from loss.
create schema keys;
grant usage on schema keys to shiji_app;

-- Each process takes 1,000 ids at a time, so that a new key needs no round trip of its own.
create sequence keys.ids increment by 1000;
grant usage on sequence keys.ids to shiji_app;

create table keys.data_keys (
  id bigint primary key,
  subject text not null,
  retention text not null,
  version smallint not null default 1,
  master_version smallint not null,
  wrapped bytea,
  destroyed_at timestamptz,
  unique (subject, retention, version),
  check ((wrapped is null) = (destroyed_at is not null))
);
grant select, insert on keys.data_keys to shiji_app;
grant update (wrapped, destroyed_at, master_version) on keys.data_keys to shiji_app;

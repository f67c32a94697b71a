-- Looks all reads through, while others are read and written: attaching them as a partition need not do it then.
alter table access.reads validate constraint reads_before;

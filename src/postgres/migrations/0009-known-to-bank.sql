-- The answers on documents that are counted within the daily limit (src/api/known-to-bank.ts): few rows among all that were read.
create index reads_on_documents on access.reads (subject, read_at)
  where fields && array['document-known-to-bank', 'document-not-known-to-bank']::text[];

-- A migration. Never edited once released: see migrations.py.
--
-- What of a spool is destroyed by destroying a key: nothing (it is stored as it came), all of
-- it, or each of its documents.
ALTER TABLE spools ADD COLUMN encryption TEXT NOT NULL DEFAULT ''
  CHECK (encryption IN ('', 'spool', 'documents'));

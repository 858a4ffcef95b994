-- A migration. Never edited once released: see migrations.py.
--
-- What came of telling ArchivesSpace, and what it would not be told.

ALTER TABLE updates ADD COLUMN outcome TEXT;
-- Set aside: the server refuses it, or has the record no more. `last_error` says why.
ALTER TABLE updates ADD COLUMN aside_at REAL CHECK (aside_at IS NULL OR state = 'WAITING');
CREATE INDEX updates_aside ON updates (number) WHERE aside_at IS NOT NULL;

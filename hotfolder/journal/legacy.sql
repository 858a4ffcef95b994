-- A migration. Never edited once released: see migrations.py.

-- What was taken out of old archives: an item each, by its id in its source.
CREATE TABLE migration_items (
  number INTEGER PRIMARY KEY,
  migration TEXT NOT NULL,
  source_id TEXT NOT NULL,
  place TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size >= 0),
  sha256 TEXT CHECK (sha256 IS NULL OR length(sha256) = 64),  -- as it was read there
  documents INTEGER NOT NULL CHECK (documents >= 0),
  spool_id TEXT,  -- journalled before the spool is
  outcome TEXT CHECK (outcome IN ('archived', 'duplicate', 'rejected')),  -- NULL: under way
  faults TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(faults)),
  taken_at REAL NOT NULL,
  settled_at REAL,
  UNIQUE (migration, source_id),
  CHECK (spool_id IS NOT NULL OR outcome = 'rejected'),
  CHECK ((outcome IS NULL) = (settled_at IS NULL))
) STRICT;
CREATE INDEX migration_items_under_way ON migration_items (migration, number)
  WHERE outcome IS NULL;
CREATE INDEX migration_items_spool ON migration_items (spool_id) WHERE spool_id IS NOT NULL;
CREATE TRIGGER migration_items_are_not_deleted BEFORE DELETE ON migration_items
BEGIN SELECT RAISE(ABORT, 'what was taken from an old archive is never forgotten'); END;

-- How many there are of each migration and outcome ('' is under way).
CREATE TABLE migration_counts (
  migration TEXT NOT NULL,
  outcome TEXT NOT NULL,
  items INTEGER NOT NULL CHECK (items >= 0),
  size INTEGER NOT NULL,
  documents INTEGER NOT NULL,
  PRIMARY KEY (migration, outcome)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER migration_items_begin AFTER INSERT ON migration_items
BEGIN
  INSERT INTO migration_counts
  VALUES (NEW.migration, coalesce(NEW.outcome, ''), 1, NEW.size, NEW.documents)
  ON CONFLICT DO UPDATE SET items = items + 1, size = size + NEW.size,
    documents = documents + NEW.documents;
END;
CREATE TRIGGER migration_items_change AFTER UPDATE OF outcome, size, documents ON migration_items
BEGIN
  UPDATE migration_counts SET items = items - 1, size = size - OLD.size,
    documents = documents - OLD.documents
  WHERE migration = OLD.migration AND outcome = coalesce(OLD.outcome, '');
  INSERT INTO migration_counts
  VALUES (NEW.migration, coalesce(NEW.outcome, ''), 1, NEW.size, NEW.documents)
  ON CONFLICT DO UPDATE SET items = items + 1, size = size + NEW.size,
    documents = documents + NEW.documents;
END;

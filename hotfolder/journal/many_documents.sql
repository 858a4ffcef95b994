-- The third migration. Never edited once released: see migrations.py.

ALTER TABLE spools ADD COLUMN documents INTEGER;  -- without a carrier; NULL until it is read
ALTER TABLE spools ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spools ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spools ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spools ADD COLUMN remarks TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(remarks));
ALTER TABLE documents ADD COLUMN role TEXT NOT NULL DEFAULT 'own'
  CHECK (role IN ('own', 'carried', 'carrier', 'refused'));
ALTER TABLE documents ADD COLUMN by_pages INTEGER NOT NULL DEFAULT 0 CHECK (by_pages IN (0, 1));

UPDATE spools SET documents = (SELECT count(*) FROM documents AS d WHERE d.spool = spools.number)
WHERE sha256 IS NOT NULL;

-- Whether a spool is delivered is asked after every unit of it.
CREATE INDEX documents_unconfirmed ON documents (spool) WHERE record_uri IS NULL;

-- What stands for a whole spool is no document of anybody's.
DROP TRIGGER documents_begin;
CREATE TRIGGER documents_begin AFTER INSERT ON documents WHEN NEW.role <> 'carrier'
BEGIN
  UPDATE counts SET count = count + 1 WHERE kind = 'document' AND name = 'live';
END;
DROP TRIGGER documents_lived;
CREATE TRIGGER documents_lived AFTER UPDATE OF live ON documents
WHEN NEW.live <> OLD.live AND NEW.role <> 'carrier'
BEGIN
  UPDATE counts SET count = count + NEW.live - OLD.live
  WHERE kind = 'document' AND name = 'live';
END;
DROP TRIGGER documents_confirmed;
CREATE TRIGGER documents_confirmed AFTER UPDATE OF live, record_uri ON documents
WHEN NEW.role <> 'carrier' AND (NEW.live = 1 AND NEW.record_uri IS NOT NULL)
  <> (OLD.live = 1 AND OLD.record_uri IS NOT NULL)
BEGIN
  UPDATE counts SET count = count + CASE WHEN OLD.live = 1 AND OLD.record_uri IS NOT NULL
    THEN -1 ELSE 1 END
  WHERE kind = 'document' AND name = 'confirmed';
END;

-- Without a copy of the texts: documents are never deleted, nor are these fields changed.
-- `identities.words_of` says the same.
CREATE VIRTUAL TABLE words USING fts5 (
  text, content = '', columnsize = 0, detail = none, tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO words (rowid, text) SELECT number, title
  || ' ' || coalesce(json_extract(metadata, '$.customer_name'), '')
  || ' ' || coalesce(json_extract(metadata, '$.campaign'), '')
  || ' ' || coalesce(json_extract(metadata, '$.period'), '')
  || ' ' || substr(coalesce(json_extract(metadata, '$.extra'), ''), 1, 1000)
FROM documents;

-- A migration. Never edited once released: see migrations.py.
--
-- What archivists decided in ArchivesSpace and what happened here: facts, each once, and
-- the files in which they go downstream (docs/feed.md).

CREATE TABLE facts (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE CHECK (key <> ''),  -- what makes it come once
  kind TEXT NOT NULL CHECK (kind <> ''),
  source TEXT NOT NULL CHECK (source IN ('hotfolder', 'archivesspace')),
  business_unit TEXT NOT NULL DEFAULT '',
  document INTEGER REFERENCES documents (number),
  uri TEXT NOT NULL DEFAULT '',
  actor TEXT NOT NULL,
  at REAL NOT NULL,  -- by the clock of where it happened
  recorded_at REAL NOT NULL,
  body TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(body)),
  state TEXT NOT NULL DEFAULT 'DONE' CHECK (state IN ('WAITING', 'DONE', 'REFUSED')),
  reason TEXT NOT NULL DEFAULT '',
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  updated_at REAL NOT NULL,
  file INTEGER,  -- of the feed; 0 where its kind is not selected; NULL: not yet
  CHECK (state = 'WAITING' OR next_at IS NULL),
  CHECK (state <> 'WAITING' OR file IS NULL)
) STRICT;
CREATE INDEX facts_waiting ON facts (number) WHERE state = 'WAITING';
CREATE INDEX facts_unfed ON facts (number) WHERE file IS NULL AND state <> 'WAITING';
CREATE INDEX facts_in_file ON facts (file, number) WHERE file > 0;
CREATE INDEX facts_of ON facts (document, number) WHERE document IS NOT NULL;

-- Holds that archivists have placed there: by what, on what, and what they are here.
CREATE TABLE seen_holds (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  matter TEXT NOT NULL,
  by_event INTEGER NOT NULL CHECK (by_event IN (0, 1)),
  placed INTEGER NOT NULL REFERENCES facts (number),
  released INTEGER REFERENCES facts (number),
  hold TEXT  -- its id, once it was placed here
) STRICT;
CREATE UNIQUE INDEX seen_holds_open ON seen_holds (reference) WHERE released IS NULL;
CREATE UNIQUE INDEX seen_holds_placed ON seen_holds (placed);
CREATE UNIQUE INDEX seen_holds_released ON seen_holds (released) WHERE released IS NOT NULL;
CREATE TABLE seen_hold_documents (
  seen INTEGER NOT NULL REFERENCES seen_holds (number),
  document INTEGER NOT NULL REFERENCES documents (number),
  PRIMARY KEY (document, seen)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_hold_documents_of ON seen_hold_documents (seen, document);

-- What a document's record was like when it was looked at last.
CREATE TABLE sights (
  document INTEGER PRIMARY KEY REFERENCES documents (number),
  uri TEXT NOT NULL,
  lock_version INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  ends TEXT,  -- end date of our retention statement; empty: none; NULL: no statement
  absent TEXT  -- how the record was not to be seen
) STRICT;
-- Events that were looked at; one that is changed again is looked at again.
CREATE TABLE seen_events (
  uri TEXT PRIMARY KEY,
  lock_version INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- How far a look has come.
CREATE TABLE look_positions (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_files (
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL DEFAULT 'PLANNED' CHECK (state IN ('PLANNED', 'STAGED', 'WRITTEN')),
  facts INTEGER NOT NULL CHECK (facts > 0),
  fields TEXT NOT NULL CHECK (json_valid(fields)),
  folder TEXT CHECK (folder IS NULL OR json_valid(folder)),
  sha256 TEXT CHECK (sha256 IS NULL OR length(sha256) = 64),
  created_at REAL NOT NULL,
  written_at REAL,
  posted_at REAL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  CHECK ((state = 'WRITTEN') = (written_at IS NOT NULL)),
  CHECK (state = 'PLANNED' OR sha256 IS NOT NULL),
  CHECK (posted_at IS NULL OR (state = 'WRITTEN' AND next_at IS NULL))
) STRICT;
CREATE INDEX feed_files_unwritten ON feed_files (number) WHERE state <> 'WRITTEN';
CREATE INDEX feed_files_unposted ON feed_files (number) WHERE posted_at IS NULL;

-- Append-only. An INSERT OR REPLACE would pass the triggers on change and deletion.
CREATE TRIGGER facts_follow BEFORE INSERT ON facts
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM facts)
  OR NEW.file IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;
CREATE TRIGGER facts_are_not_changed BEFORE UPDATE ON facts
WHEN NEW.number IS NOT OLD.number OR NEW.key IS NOT OLD.key OR NEW.kind IS NOT OLD.kind
  OR NEW.source IS NOT OLD.source OR NEW.business_unit IS NOT OLD.business_unit
  OR NEW.document IS NOT OLD.document OR NEW.uri IS NOT OLD.uri
  OR NEW.actor IS NOT OLD.actor OR NEW.at IS NOT OLD.at OR NEW.body IS NOT OLD.body
  OR NEW.recorded_at IS NOT OLD.recorded_at
  OR (NEW.state IS NOT OLD.state AND OLD.state <> 'WAITING')
  OR (NEW.file IS NOT OLD.file AND OLD.file IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END;
CREATE TRIGGER facts_are_not_deleted BEFORE DELETE ON facts
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;
CREATE TRIGGER seen_holds_are_only_released BEFORE UPDATE ON seen_holds
WHEN NEW.number IS NOT OLD.number OR NEW.reference IS NOT OLD.reference
  OR NEW.matter IS NOT OLD.matter OR NEW.placed IS NOT OLD.placed
  OR (OLD.released IS NOT NULL AND NEW.released IS NOT OLD.released)
  OR (OLD.hold IS NOT NULL AND NEW.hold IS NOT OLD.hold)
BEGIN SELECT RAISE(ABORT, 'a hold that was seen is released once, and never changed'); END;
CREATE TRIGGER seen_holds_are_not_deleted BEFORE DELETE ON seen_holds
BEGIN SELECT RAISE(ABORT, 'a hold that was seen is never deleted'); END;
CREATE TRIGGER feed_files_follow BEFORE INSERT ON feed_files
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM feed_files)
BEGIN SELECT RAISE(ABORT, 'files of the feed are numbered without gaps'); END;
CREATE TRIGGER feed_files_are_not_changed BEFORE UPDATE ON feed_files
WHEN NEW.number IS NOT OLD.number OR NEW.facts IS NOT OLD.facts
  OR NEW.fields IS NOT OLD.fields OR NEW.created_at IS NOT OLD.created_at
  OR (OLD.state = 'WRITTEN' AND (NEW.state IS NOT OLD.state
    OR NEW.sha256 IS NOT OLD.sha256 OR NEW.written_at IS NOT OLD.written_at))
BEGIN SELECT RAISE(ABORT, 'a file of the feed is written once'); END;
CREATE TRIGGER feed_files_are_not_deleted BEFORE DELETE ON feed_files
BEGIN SELECT RAISE(ABORT, 'files of the feed are numbered without gaps'); END;

-- What happens to holds here is a fact in the same transaction. Those that archivists
-- place and release there are facts already.
CREATE TRIGGER holds_are_facts AFTER INSERT ON holds WHEN NEW.source = 'hotfolder'
BEGIN
  INSERT INTO facts (number, key, kind, source, actor, at, recorded_at, body, updated_at)
  VALUES ((SELECT coalesce(max(number), 0) + 1 FROM facts), 'hold.placed|' || NEW.id, 'hold.placed', 'hotfolder', NEW.placed_by, NEW.placed_at,
    NEW.placed_at, json_object('hold', NEW.id, 'matter', NEW.matter, 'mandate', NEW.mandate),
    NEW.placed_at);
END;
CREATE TRIGGER releases_are_facts AFTER UPDATE OF released_at ON holds
WHEN NEW.released_at IS NOT NULL AND NEW.released_by NOT LIKE 'archivesspace:%'
BEGIN
  INSERT INTO facts (number, key, kind, source, actor, at, recorded_at, body, updated_at)
  VALUES ((SELECT coalesce(max(number), 0) + 1 FROM facts), 'hold.released|' || NEW.id, 'hold.released', 'hotfolder', NEW.released_by,
    NEW.released_at, NEW.released_at,
    json_object('hold', NEW.id, 'matter', NEW.matter, 'mandate', NEW.mandate), NEW.released_at);
END;
CREATE TRIGGER held_documents_are_facts AFTER INSERT ON hold_members
BEGIN
  INSERT INTO facts (number, key, kind, source, business_unit, document, actor, at, recorded_at,
    body, updated_at)
  SELECT (SELECT coalesce(max(number), 0) + 1 FROM facts), 'hold.applied|' || h.id || '|' || NEW.document, 'hold.applied', 'hotfolder',
    d.business_unit, d.number, h.placed_by, NEW.since, NEW.since,
    json_object('hold', h.id, 'matter', h.matter), NEW.since
  FROM holds AS h JOIN documents AS d ON d.number = NEW.document WHERE h.number = NEW.hold;
END;

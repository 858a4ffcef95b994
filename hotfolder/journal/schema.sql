-- The journal's first schema. Never edited once released: see migrations.py.
--
-- `number` is the order of arrival and what tables refer to one another by; `id`,
-- `identity` and `ref_id` are what people and other programs see.

CREATE TABLE spools (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 6 AND 64),
  folder TEXT NOT NULL,
  business_unit TEXT NOT NULL,
  name BLOB NOT NULL,
  sidecars TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(sidecars)),  -- names in hexadecimal
  trigger_name BLOB,
  shared TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(shared)),
  state TEXT NOT NULL CHECK (state IN (
    'CLAIMING', 'CLAIMED', 'READ', 'STORED', 'DELIVERED', 'DONE',
    'REJECTED', 'HELD', 'CORRUPT', 'DUPLICATE', 'ABANDONED')),
  size INTEGER NOT NULL CHECK (size >= 0),
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  sha256 TEXT CHECK (sha256 IS NULL OR length(sha256) = 64),
  format_name TEXT,
  pages INTEGER,
  settled_by TEXT NOT NULL,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  first_spool_id TEXT,
  faults TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(faults)),
  held_from TEXT,
  reason TEXT NOT NULL DEFAULT '',
  CHECK (state NOT IN ('READ', 'STORED', 'DELIVERED', 'DONE', 'DUPLICATE') OR sha256 IS NOT NULL),
  CHECK ((state = 'DUPLICATE') <= (first_spool_id IS NOT NULL)),
  CHECK ((state IN ('HELD', 'CORRUPT')) <= (held_from IS NOT NULL))
) STRICT;

-- Small however long the daemon runs: only what is not DONE.
CREATE INDEX spools_unfinished ON spools (state, number) WHERE state <> 'DONE';
CREATE INDEX spools_deferred ON spools (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE units (
  number INTEGER PRIMARY KEY,
  ref_id TEXT NOT NULL,
  business_unit TEXT NOT NULL,
  series TEXT NOT NULL,
  cycle TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('PLANNED', 'SENT', 'CONFIRMED', 'REFUSED')),
  planned_at REAL NOT NULL,
  sent_at REAL,
  confirmed_at REAL,
  updated_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  archival_object_uri TEXT,
  members TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(members)),  -- of a REFUSED unit
  reason TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX units_live ON units (ref_id) WHERE state <> 'REFUSED';
CREATE INDEX units_by_ref ON units (ref_id);
CREATE INDEX units_open ON units (number) WHERE state IN ('PLANNED', 'SENT');
CREATE INDEX units_deferred ON units (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE documents (
  number INTEGER PRIMARY KEY,
  identity TEXT NOT NULL CHECK (identity GLOB 'hf-*' AND length(identity) = 67),
  spool INTEGER NOT NULL REFERENCES spools (number),
  business_unit TEXT NOT NULL,
  source TEXT NOT NULL,
  business_key TEXT NOT NULL,
  series TEXT NOT NULL,
  cycle TEXT NOT NULL,
  title TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  supersedes TEXT,
  ordinal INTEGER NOT NULL CHECK (ordinal >= 1),
  start INTEGER NOT NULL CHECK (start >= 0),
  length INTEGER NOT NULL CHECK (length >= 0),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  first_page INTEGER,
  pages INTEGER,
  customer_id TEXT,
  account_number TEXT,
  policy_number TEXT,
  document_type TEXT,
  issue_date TEXT,
  channel TEXT,
  retention_class TEXT,
  retain_until TEXT,
  job_number TEXT,
  metadata TEXT NOT NULL CHECK (json_valid(metadata)),
  live INTEGER NOT NULL DEFAULT 1 CHECK (live IN (0, 1)),
  -- Counts in the versions of its key: live, or of a CORRUPT spool, which may come back.
  kept INTEGER NOT NULL DEFAULT 1 CHECK (kept IN (0, 1)),
  waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting IN (0, 1)),
  unit INTEGER REFERENCES units (number),
  position INTEGER,
  stored_at REAL,
  record_uri TEXT,
  archived_at REAL,
  UNIQUE (spool, ordinal),
  CHECK (live <= kept),
  CHECK (waiting = 0 OR (unit IS NULL AND record_uri IS NULL AND live = 1)),
  CHECK ((unit IS NULL) = (position IS NULL)),
  CHECK ((record_uri IS NULL) = (archived_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX documents_live ON documents (identity) WHERE live = 1;
CREATE INDEX documents_not_live ON documents (identity) WHERE live = 0;
CREATE UNIQUE INDEX documents_version ON documents (source, business_key, version) WHERE kept = 1;
CREATE INDEX documents_waiting ON documents (business_unit, series, cycle, number) WHERE waiting = 1;
CREATE INDEX documents_unit ON documents (unit, position) WHERE unit IS NOT NULL;
CREATE INDEX documents_customer ON documents (customer_id, issue_date) WHERE customer_id IS NOT NULL;

CREATE TABLE case_references (
  reference TEXT NOT NULL,
  document INTEGER NOT NULL REFERENCES documents (number),
  PRIMARY KEY (reference, document)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('spool', 'unit')),
  subject INTEGER NOT NULL,
  at REAL NOT NULL,
  old TEXT,
  new TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX history_of ON history (kind, subject, number);

-- Which state may follow which; filled from core/lifecycle.py at every opening.
CREATE TABLE moves (
  kind TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY (kind, old, new)
) STRICT, WITHOUT ROWID;

CREATE TABLE counts (
  kind TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

INSERT INTO counts VALUES ('document', 'live', 0), ('document', 'confirmed', 0);

CREATE TABLE backlog (
  business_unit TEXT NOT NULL, series TEXT NOT NULL, cycle TEXT NOT NULL,
  waiting INTEGER NOT NULL CHECK (waiting >= 0),
  PRIMARY KEY (business_unit, series, cycle)
) STRICT, WITHOUT ROWID;

CREATE TABLE server (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  failures INTEGER NOT NULL CHECK (failures >= 0),
  next_at REAL,
  error TEXT,
  updated_at REAL NOT NULL
) STRICT;
INSERT INTO server VALUES (1, 0, NULL, NULL, 0);

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL CHECK (json_valid(details)),
  previous TEXT NOT NULL CHECK (length(previous) = 64),
  digest TEXT NOT NULL CHECK (length(digest) = 64)
) STRICT;

-- An INSERT OR REPLACE would pass the two triggers below.
CREATE TRIGGER audit_follows BEFORE INSERT ON audit
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END;
CREATE TRIGGER history_is_not_changed BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_is_not_deleted BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

CREATE TRIGGER spools_are_not_deleted BEFORE DELETE ON spools
BEGIN SELECT RAISE(ABORT, 'a spool is never deleted from the journal'); END;
CREATE TRIGGER units_are_not_deleted BEFORE DELETE ON units
BEGIN SELECT RAISE(ABORT, 'a unit is never deleted from the journal'); END;
CREATE TRIGGER documents_are_not_deleted BEFORE DELETE ON documents
BEGIN SELECT RAISE(ABORT, 'a document is never deleted from the journal'); END;

-- Staying where it is is no move either: who writes `state` means to change it.
CREATE TRIGGER spools_move BEFORE UPDATE OF state ON spools
BEGIN
  SELECT RAISE(ABORT, 'a spool in this state may not move to that one')
  WHERE NOT EXISTS (SELECT 1 FROM moves WHERE kind = 'spool' AND old = OLD.state AND new = NEW.state);
END;
CREATE TRIGGER units_move BEFORE UPDATE OF state ON units
BEGIN
  SELECT RAISE(ABORT, 'a unit in this state may not move to that one')
  WHERE NOT EXISTS (SELECT 1 FROM moves WHERE kind = 'unit' AND old = OLD.state AND new = NEW.state);
END;

CREATE TRIGGER spools_begin AFTER INSERT ON spools
BEGIN
  INSERT INTO history (kind, subject, at, old, new, reason)
  VALUES ('spool', NEW.number, NEW.updated_at, NULL, NEW.state, NEW.reason);
  INSERT INTO counts VALUES ('spool', NEW.state, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER spools_moved AFTER UPDATE OF state ON spools
BEGIN
  INSERT INTO history (kind, subject, at, old, new, reason)
  VALUES ('spool', NEW.number, NEW.updated_at, OLD.state, NEW.state, NEW.reason);
  UPDATE counts SET count = count - 1 WHERE kind = 'spool' AND name = OLD.state;
  INSERT INTO counts VALUES ('spool', NEW.state, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER spools_rejected AFTER UPDATE OF state ON spools
WHEN NEW.state = 'REJECTED'
BEGIN
  INSERT INTO counts VALUES ('rejected', coalesce(json_extract(NEW.faults, '$[0].code'), 'unknown'), 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER units_begin AFTER INSERT ON units
BEGIN
  INSERT INTO history (kind, subject, at, old, new, reason)
  VALUES ('unit', NEW.number, NEW.updated_at, NULL, NEW.state, NEW.reason);
  INSERT INTO counts VALUES ('unit', NEW.state, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER units_moved AFTER UPDATE OF state ON units
BEGIN
  INSERT INTO history (kind, subject, at, old, new, reason)
  VALUES ('unit', NEW.number, NEW.updated_at, OLD.state, NEW.state, NEW.reason);
  UPDATE counts SET count = count - 1 WHERE kind = 'unit' AND name = OLD.state;
  INSERT INTO counts VALUES ('unit', NEW.state, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;

-- A document begins live and unconfirmed.
CREATE TRIGGER documents_begin AFTER INSERT ON documents
BEGIN
  UPDATE counts SET count = count + 1 WHERE kind = 'document' AND name = 'live';
END;
CREATE TRIGGER documents_lived AFTER UPDATE OF live ON documents WHEN NEW.live <> OLD.live
BEGIN
  UPDATE counts SET count = count + NEW.live - OLD.live
  WHERE kind = 'document' AND name = 'live';
END;
CREATE TRIGGER documents_confirmed AFTER UPDATE OF live, record_uri ON documents
WHEN (NEW.live = 1 AND NEW.record_uri IS NOT NULL)
  <> (OLD.live = 1 AND OLD.record_uri IS NOT NULL)
BEGIN
  UPDATE counts SET count = count + CASE WHEN OLD.live = 1 AND OLD.record_uri IS NOT NULL
    THEN -1 ELSE 1 END
  WHERE kind = 'document' AND name = 'confirmed';
END;
CREATE TRIGGER documents_begin_to_wait AFTER UPDATE OF waiting ON documents
WHEN NEW.waiting = 1 AND OLD.waiting = 0
BEGIN
  INSERT INTO backlog VALUES (NEW.business_unit, NEW.series, NEW.cycle, 1)
  ON CONFLICT DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER documents_cease_to_wait AFTER UPDATE OF waiting ON documents
WHEN NEW.waiting = 0 AND OLD.waiting = 1
BEGIN
  UPDATE backlog SET waiting = waiting - 1
  WHERE business_unit = NEW.business_unit AND series = NEW.series AND cycle = NEW.cycle;
  DELETE FROM backlog WHERE business_unit = NEW.business_unit AND series = NEW.series
    AND cycle = NEW.cycle AND waiting = 0;
END;

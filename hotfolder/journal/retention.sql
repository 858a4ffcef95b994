-- A migration. Never edited once released: see migrations.py.
--
-- How long a document is kept, and whether it may go. Days are ISO 8601 text;
-- `retain_until` is the last day of retention (core/retention.py).

ALTER TABLE documents ADD COLUMN class_version INTEGER;
ALTER TABLE documents ADD COLUMN cutoff TEXT;  -- day on which the clock started
ALTER TABLE documents ADD COLUMN disposition TEXT NOT NULL DEFAULT 'kept'
  CHECK (disposition IN ('kept', 'withheld', 'destroying', 'destroyed'));
ALTER TABLE documents ADD COLUMN disposed_at REAL;
CREATE INDEX documents_due ON documents (retain_until, number)
  WHERE disposition = 'kept' AND retain_until IS NOT NULL;
CREATE INDEX documents_disposed ON documents (disposition, number) WHERE disposition <> 'kept';
CREATE INDEX documents_policy ON documents (policy_number, number)
  WHERE policy_number IS NOT NULL;

-- Every schedule that was ever in force here.
CREATE TABLE retention_schedules (
  number INTEGER PRIMARY KEY,
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  schedule TEXT NOT NULL CHECK (json_valid(schedule)),
  noted_at REAL NOT NULL
) STRICT;

-- What happened that starts a clock. A correction is a new row.
CREATE TABLE retention_events (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('policy', 'account', 'customer', 'document', 'case')),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  event TEXT NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
  day TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  reason TEXT NOT NULL DEFAULT '',
  recorded_at REAL NOT NULL,
  recorded_by TEXT NOT NULL,
  source TEXT UNIQUE,  -- of one that came in a file: its id and line, so that it comes once
  withdrawn_at REAL,
  withdrawn_by TEXT,
  withdrawal_reason TEXT NOT NULL DEFAULT '',
  CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
) STRICT;
CREATE INDEX retention_events_of ON retention_events (kind, subject, event, number);

-- Whose dates are to be computed anew: one row until it is done, whatever asks for it.
CREATE TABLE retention_work (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL
    CHECK (kind IN ('schedule', 'policy', 'account', 'customer', 'document', 'case')),
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  position INTEGER NOT NULL DEFAULT 0,  -- documents up to this number are done
  changed INTEGER NOT NULL DEFAULT 0 CHECK (changed >= 0),
  created_at REAL NOT NULL,
  done_at REAL
) STRICT;
CREATE UNIQUE INDEX retention_work_open ON retention_work (kind, subject) WHERE done_at IS NULL;

-- Every change of the retention of a document, written by triggers. When and why is what
-- `retention_reason` says, whose one row lives within a transaction (journal/reasons.py).
CREATE TABLE retention_changes (
  number INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES documents (number),
  at REAL NOT NULL,
  field TEXT NOT NULL,
  old TEXT,
  new TEXT,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX retention_changes_of ON retention_changes (document, number);
CREATE TABLE retention_reason (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at REAL NOT NULL,
  reason TEXT NOT NULL
) STRICT;

CREATE TABLE holds (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (id GLOB 'hold-*' AND length(id) = 17),
  matter TEXT NOT NULL CHECK (matter <> ''),
  mandate TEXT NOT NULL DEFAULT '',
  originator TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  criteria TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(criteria)),
  source TEXT NOT NULL CHECK (source IN ('hotfolder', 'archivesspace')),
  placed_at REAL NOT NULL,
  placed_by TEXT NOT NULL,
  released_at REAL,
  released_by TEXT,
  release_reason TEXT NOT NULL DEFAULT '',
  CHECK ((released_at IS NULL) = (released_by IS NULL))
) STRICT;
CREATE INDEX holds_in_force ON holds (number) WHERE released_at IS NULL;
CREATE TABLE hold_members (
  hold INTEGER NOT NULL REFERENCES holds (number),
  document INTEGER NOT NULL REFERENCES documents (number),
  since REAL NOT NULL,
  PRIMARY KEY (hold, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_members_document ON hold_members (document, hold);

CREATE TABLE disposals (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (id GLOB 'disposal-*' AND length(id) = 21),
  state TEXT NOT NULL
    CHECK (state IN ('PROPOSED', 'APPROVED', 'EXECUTING', 'DONE', 'WITHDRAWN')),
  proposed_by TEXT NOT NULL,
  approved_by TEXT,
  executed_by TEXT,
  authority TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL,
  approved_at REAL,
  executed_at REAL,
  done_at REAL,
  updated_at REAL NOT NULL,
  certificate TEXT CHECK (certificate IS NULL OR json_valid(certificate)),
  reason TEXT NOT NULL DEFAULT '',
  CHECK (approved_by IS NULL OR approved_by <> proposed_by),
  CHECK ((state IN ('APPROVED', 'EXECUTING', 'DONE')) <= (approved_by IS NOT NULL))
) STRICT;
CREATE INDEX disposals_open ON disposals (number)
  WHERE state IN ('PROPOSED', 'APPROVED', 'EXECUTING');
CREATE TABLE disposal_members (
  disposal INTEGER NOT NULL REFERENCES disposals (number),
  document INTEGER NOT NULL REFERENCES documents (number),
  outcome TEXT CHECK (outcome IS NULL OR outcome IN ('destroyed', 'withheld', 'excluded')),
  reason TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (disposal, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX disposal_members_document ON disposal_members (document, disposal);
-- As `history`, whose CHECK knows spools and units only.
CREATE TABLE disposal_steps (
  number INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL REFERENCES disposals (number),
  at REAL NOT NULL,
  old TEXT,
  new TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX disposal_steps_of ON disposal_steps (subject, number);

-- What ArchivesSpace is to be told of a document, in order.
CREATE TABLE updates (
  number INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES documents (number),
  kind TEXT NOT NULL CHECK (kind <> ''),
  body TEXT NOT NULL CHECK (json_valid(body)),
  state TEXT NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'SENT')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  created_at REAL NOT NULL,
  sent_at REAL,
  CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
  CHECK (state = 'WAITING' OR next_at IS NULL)
) STRICT;
CREATE INDEX updates_waiting ON updates (number) WHERE state = 'WAITING';
CREATE INDEX updates_of ON updates (document, number);

-- Append-only. An INSERT OR REPLACE would pass the triggers on change and deletion.
CREATE TRIGGER retention_schedules_follow BEFORE INSERT ON retention_schedules
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM retention_schedules)
BEGIN SELECT RAISE(ABORT, 'schedules are append-only'); END;
CREATE TRIGGER retention_schedules_are_not_changed BEFORE UPDATE ON retention_schedules
BEGIN SELECT RAISE(ABORT, 'schedules are append-only'); END;
CREATE TRIGGER retention_schedules_are_not_deleted BEFORE DELETE ON retention_schedules
BEGIN SELECT RAISE(ABORT, 'schedules are append-only'); END;
CREATE TRIGGER retention_events_follow BEFORE INSERT ON retention_events
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM retention_events)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER retention_events_are_only_withdrawn BEFORE UPDATE ON retention_events
WHEN OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
  OR NEW.number IS NOT OLD.number OR NEW.kind IS NOT OLD.kind
  OR NEW.subject IS NOT OLD.subject OR NEW.event IS NOT OLD.event
  OR NEW.day IS NOT OLD.day OR NEW.reason IS NOT OLD.reason
  OR NEW.recorded_at IS NOT OLD.recorded_at OR NEW.recorded_by IS NOT OLD.recorded_by
  OR NEW.source IS NOT OLD.source
BEGIN SELECT RAISE(ABORT, 'an event is withdrawn once, and never changed'); END;
CREATE TRIGGER retention_events_are_not_deleted BEFORE DELETE ON retention_events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER retention_changes_are_not_changed BEFORE UPDATE ON retention_changes
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER retention_changes_are_not_deleted BEFORE DELETE ON retention_changes
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER holds_are_only_released BEFORE UPDATE ON holds
WHEN OLD.released_at IS NOT NULL
  OR NEW.number IS NOT OLD.number OR NEW.id IS NOT OLD.id OR NEW.matter IS NOT OLD.matter
  OR NEW.mandate IS NOT OLD.mandate OR NEW.originator IS NOT OLD.originator
  OR NEW.reason IS NOT OLD.reason OR NEW.criteria IS NOT OLD.criteria
  OR NEW.source IS NOT OLD.source OR NEW.placed_at IS NOT OLD.placed_at
  OR NEW.placed_by IS NOT OLD.placed_by
BEGIN SELECT RAISE(ABORT, 'a hold is released once, and never changed'); END;
CREATE TRIGGER holds_are_not_deleted BEFORE DELETE ON holds
BEGIN SELECT RAISE(ABORT, 'a hold is never deleted from the journal'); END;
CREATE TRIGGER hold_members_are_not_changed BEFORE UPDATE ON hold_members
BEGIN SELECT RAISE(ABORT, 'a document leaves no hold'); END;
CREATE TRIGGER hold_members_are_not_deleted BEFORE DELETE ON hold_members
BEGIN SELECT RAISE(ABORT, 'a document leaves no hold'); END;
CREATE TRIGGER disposals_are_not_deleted BEFORE DELETE ON disposals
BEGIN SELECT RAISE(ABORT, 'a disposal is never deleted from the journal'); END;
CREATE TRIGGER disposal_members_are_not_deleted BEFORE DELETE ON disposal_members
BEGIN SELECT RAISE(ABORT, 'a disposal keeps its members'); END;
CREATE TRIGGER disposal_members_have_one_outcome BEFORE UPDATE OF outcome ON disposal_members
WHEN OLD.outcome = 'destroyed'
BEGIN SELECT RAISE(ABORT, 'what was destroyed stays destroyed'); END;
CREATE TRIGGER disposal_steps_are_not_changed BEFORE UPDATE ON disposal_steps
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER disposal_steps_are_not_deleted BEFORE DELETE ON disposal_steps
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER updates_are_not_deleted BEFORE DELETE ON updates
BEGIN SELECT RAISE(ABORT, 'what was to be told is never deleted'); END;

CREATE TRIGGER disposals_move BEFORE UPDATE OF state ON disposals
BEGIN
  SELECT RAISE(ABORT, 'a disposal in this state may not move to that one')
  WHERE NOT EXISTS (SELECT 1 FROM moves WHERE kind = 'disposal' AND old = OLD.state AND new = NEW.state);
END;
CREATE TRIGGER disposals_begin AFTER INSERT ON disposals
BEGIN
  INSERT INTO disposal_steps (subject, at, old, new, reason)
  VALUES (NEW.number, NEW.updated_at, NULL, NEW.state, NEW.reason);
END;
CREATE TRIGGER disposals_moved AFTER UPDATE OF state ON disposals
BEGIN
  INSERT INTO disposal_steps (subject, at, old, new, reason)
  VALUES (NEW.number, NEW.updated_at, OLD.state, NEW.state, NEW.reason);
END;

-- Destruction goes one way.
CREATE TRIGGER documents_disposed_of BEFORE UPDATE OF disposition ON documents
WHEN NEW.disposition IS NOT OLD.disposition AND NOT (
  (OLD.disposition IN ('kept', 'withheld') AND NEW.disposition <> 'destroyed')
  OR (OLD.disposition = 'destroying' AND NEW.disposition = 'destroyed'))
BEGIN SELECT RAISE(ABORT, 'what is being destroyed is never kept again'); END;

-- No code path changes a date, a class or a disposition without its history.
CREATE TRIGGER documents_retention_class AFTER UPDATE OF retention_class ON documents
WHEN NEW.retention_class IS NOT OLD.retention_class
BEGIN
  INSERT INTO retention_changes (document, at, field, old, new, reason)
  SELECT NEW.number, coalesce((SELECT at FROM retention_reason), (julianday('now') - 2440587.5) * 86400.0),
    'retention_class', OLD.retention_class, NEW.retention_class,
    coalesce((SELECT reason FROM retention_reason), '');
END;
CREATE TRIGGER documents_class_version AFTER UPDATE OF class_version ON documents
WHEN NEW.class_version IS NOT OLD.class_version
BEGIN
  INSERT INTO retention_changes (document, at, field, old, new, reason)
  SELECT NEW.number, coalesce((SELECT at FROM retention_reason), (julianday('now') - 2440587.5) * 86400.0),
    'class_version', CAST(OLD.class_version AS TEXT), CAST(NEW.class_version AS TEXT),
    coalesce((SELECT reason FROM retention_reason), '');
END;
CREATE TRIGGER documents_cutoff AFTER UPDATE OF cutoff ON documents
WHEN NEW.cutoff IS NOT OLD.cutoff
BEGIN
  INSERT INTO retention_changes (document, at, field, old, new, reason)
  SELECT NEW.number, coalesce((SELECT at FROM retention_reason), (julianday('now') - 2440587.5) * 86400.0),
    'cutoff', OLD.cutoff, NEW.cutoff, coalesce((SELECT reason FROM retention_reason), '');
END;
CREATE TRIGGER documents_retain_until AFTER UPDATE OF retain_until ON documents
WHEN NEW.retain_until IS NOT OLD.retain_until
BEGIN
  INSERT INTO retention_changes (document, at, field, old, new, reason)
  SELECT NEW.number, coalesce((SELECT at FROM retention_reason), (julianday('now') - 2440587.5) * 86400.0),
    'retain_until', OLD.retain_until, NEW.retain_until,
    coalesce((SELECT reason FROM retention_reason), '');
END;
CREATE TRIGGER documents_disposition AFTER UPDATE OF disposition ON documents
WHEN NEW.disposition IS NOT OLD.disposition
BEGIN
  INSERT INTO retention_changes (document, at, field, old, new, reason)
  SELECT NEW.number, coalesce(NEW.disposed_at, (SELECT at FROM retention_reason), (julianday('now') - 2440587.5) * 86400.0),
    'disposition', OLD.disposition, NEW.disposition,
    coalesce((SELECT reason FROM retention_reason), '');
END;

-- An event, its withdrawal, and a document that comes after its event all ask for dates to
-- be computed; work that is under way begins again.
CREATE TRIGGER retention_events_ask AFTER INSERT ON retention_events
BEGIN
  INSERT INTO retention_work (kind, subject, reason, created_at)
  VALUES (NEW.kind, NEW.subject, 'event ' || NEW.number, NEW.recorded_at)
  ON CONFLICT (kind, subject) WHERE done_at IS NULL
  DO UPDATE SET position = 0, reason = excluded.reason;
END;
CREATE TRIGGER retention_events_ask_again AFTER UPDATE OF withdrawn_at ON retention_events
BEGIN
  INSERT INTO retention_work (kind, subject, reason, created_at)
  VALUES (NEW.kind, NEW.subject, 'event ' || NEW.number || ' withdrawn', NEW.withdrawn_at)
  ON CONFLICT (kind, subject) WHERE done_at IS NULL
  DO UPDATE SET position = 0, reason = excluded.reason;
END;
CREATE TRIGGER documents_ask AFTER INSERT ON documents
WHEN NEW.retention_class IS NOT NULL AND (
  EXISTS (SELECT 1 FROM retention_events WHERE kind = 'policy' AND subject = NEW.policy_number)
  OR EXISTS (SELECT 1 FROM retention_events WHERE kind = 'account' AND subject = NEW.account_number)
  OR EXISTS (SELECT 1 FROM retention_events WHERE kind = 'customer' AND subject = NEW.customer_id)
  OR EXISTS (SELECT 1 FROM retention_events WHERE kind = 'document' AND subject = NEW.identity))
BEGIN
  INSERT INTO retention_work (kind, subject, reason, created_at)
  VALUES ('document', NEW.identity, 'an event was known before', (julianday('now') - 2440587.5) * 86400.0)
  ON CONFLICT (kind, subject) WHERE done_at IS NULL DO UPDATE SET position = 0;
END;
CREATE TRIGGER document_references_ask AFTER INSERT ON document_references
WHEN NEW.kind = 'case'
  AND EXISTS (SELECT 1 FROM retention_events WHERE kind = 'case' AND subject = NEW.reference)
BEGIN
  INSERT INTO retention_work (kind, subject, reason, created_at)
  SELECT 'document', identity, 'an event was known before', (julianday('now') - 2440587.5) * 86400.0
  FROM documents WHERE number = NEW.document AND retention_class IS NOT NULL
  ON CONFLICT (kind, subject) WHERE done_at IS NULL DO UPDATE SET position = 0;
END;

-- A migration. Never edited once released: see migrations.py.
--
-- Disposal: frozen lists, what is being destroyed, and what is left of it (docs/disposal.md).

ALTER TABLE disposals ADD COLUMN business_unit TEXT NOT NULL DEFAULT '';
ALTER TABLE disposals ADD COLUMN list_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE disposals ADD COLUMN certificate_sha256 TEXT;
ALTER TABLE disposals ADD COLUMN today TEXT;  -- the day that was believed when it was begun

-- As the list was frozen: what was approved, and what must still be so.
ALTER TABLE disposal_members ADD COLUMN retention_class TEXT;
ALTER TABLE disposal_members ADD COLUMN class_version INTEGER;
ALTER TABLE disposal_members ADD COLUMN cutoff TEXT;
ALTER TABLE disposal_members ADD COLUMN retain_until TEXT;
ALTER TABLE disposal_members ADD COLUMN action TEXT;

-- When the store ceased to have to have it: the transaction that began its destruction.
ALTER TABLE spools ADD COLUMN disposed_at REAL;
CREATE INDEX spools_disposed ON spools (number) WHERE disposed_at IS NOT NULL;

-- Past their time and not yet gone: withheld ones too.
DROP INDEX documents_due;
CREATE INDEX documents_due ON documents (retain_until, number)
  WHERE disposition IN ('kept', 'withheld') AND retain_until IS NOT NULL;

-- What is left of a document. Filled when its destruction begins, or from the store after
-- the journal was lost; nothing personal is in it.
CREATE TABLE tombstones (
  identity TEXT NOT NULL PRIMARY KEY CHECK (identity GLOB 'hf-*' AND length(identity) = 67),
  disposal TEXT NOT NULL,
  spool_id TEXT NOT NULL,
  business_unit TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  retention_class TEXT,
  class_version INTEGER,
  cutoff TEXT,
  retain_until TEXT,
  begun_on TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_spool ON tombstones (spool_id);

-- Days that the clock showed. A day is believed if it follows the last believed one closely,
-- or if somebody vouched for it (docs/disposal.md, "Today").
CREATE TABLE clock_days (
  number INTEGER PRIMARY KEY,
  day TEXT NOT NULL UNIQUE CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  believed INTEGER NOT NULL CHECK (believed IN (0, 1)),
  at REAL NOT NULL,
  actor TEXT NOT NULL
) STRICT;
INSERT INTO clock_days (day, believed, at, actor)
  SELECT date(at, 'unixepoch'), 1, at, 'hotfolder' FROM audit
  WHERE date(at, 'unixepoch') IS NOT NULL ORDER BY number DESC LIMIT 1;

CREATE TRIGGER tombstones_are_not_changed BEFORE UPDATE ON tombstones
BEGIN SELECT RAISE(ABORT, 'what was destroyed stays destroyed'); END;
CREATE TRIGGER tombstones_are_not_deleted BEFORE DELETE ON tombstones
BEGIN SELECT RAISE(ABORT, 'what was destroyed stays destroyed'); END;

-- A list is frozen, and a document is on one open list at most.
CREATE TRIGGER disposal_members_come_with_their_list BEFORE INSERT ON disposal_members
WHEN (SELECT state FROM disposals WHERE number = NEW.disposal) <> 'PROPOSED'
BEGIN SELECT RAISE(ABORT, 'the list of a disposal is frozen'); END;
CREATE TRIGGER disposal_members_are_in_one_list BEFORE INSERT ON disposal_members
WHEN EXISTS (SELECT 1 FROM disposal_members AS m JOIN disposals AS d ON d.number = m.disposal
  WHERE m.document = NEW.document AND d.state IN ('PROPOSED', 'APPROVED', 'EXECUTING'))
BEGIN SELECT RAISE(ABORT, 'a document is in one open disposal at most'); END;
CREATE TRIGGER disposal_members_stay BEFORE UPDATE ON disposal_members
WHEN NEW.disposal IS NOT OLD.disposal OR NEW.document IS NOT OLD.document
  OR NEW.retention_class IS NOT OLD.retention_class
  OR NEW.class_version IS NOT OLD.class_version OR NEW.cutoff IS NOT OLD.cutoff
  OR NEW.retain_until IS NOT OLD.retain_until OR NEW.action IS NOT OLD.action
BEGIN SELECT RAISE(ABORT, 'the list of a disposal is frozen'); END;

-- The last word, whatever the code above it believes: nothing goes that is held, that has
-- no end, or that no approved list names.
CREATE TRIGGER documents_may_be_destroyed BEFORE UPDATE OF disposition ON documents
WHEN NEW.disposition = 'destroying' AND OLD.disposition <> 'destroying' AND (
  NEW.retain_until IS NULL
  OR EXISTS (SELECT 1 FROM hold_members AS m JOIN holds AS h ON h.number = m.hold
    WHERE m.document = NEW.number AND h.released_at IS NULL)
  OR NOT EXISTS (SELECT 1 FROM disposal_members AS m JOIN disposals AS d ON d.number = m.disposal
    WHERE m.document = NEW.number AND d.state = 'EXECUTING' AND d.today > NEW.retain_until
      AND d.approved_by IS NOT NULL AND m.retain_until IS NEW.retain_until)
    AND NOT (NEW.role = 'carrier' AND EXISTS (SELECT 1 FROM disposals AS d
      WHERE d.state = 'EXECUTING' AND d.today > NEW.retain_until)))
BEGIN SELECT RAISE(ABORT, 'it may not be destroyed'); END;

-- What is being destroyed neither lives nor is delivered again, and its spool stays where
-- it is.
CREATE TRIGGER documents_do_not_rise BEFORE UPDATE OF live, waiting ON documents
WHEN OLD.disposition IN ('destroying', 'destroyed')
  AND (NEW.live > OLD.live OR NEW.waiting > OLD.waiting)
BEGIN SELECT RAISE(ABORT, 'it was destroyed'); END;
CREATE TRIGGER spools_disposed_stay BEFORE UPDATE OF state ON spools
WHEN OLD.disposed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the spool was destroyed'); END;
CREATE TRIGGER spools_disposed_once BEFORE UPDATE OF disposed_at ON spools
WHEN OLD.disposed_at IS NOT NULL AND NEW.disposed_at IS NOT OLD.disposed_at
BEGIN SELECT RAISE(ABORT, 'the spool was destroyed'); END;
-- No result of the scrub is waited for any more.
CREATE TRIGGER fixity_results_leave_with_disposal AFTER UPDATE OF disposed_at ON spools
WHEN NEW.disposed_at IS NOT NULL
BEGIN DELETE FROM fixity_results WHERE spool = NEW.number; END;

-- A document that was withheld and gets another date is kept: the next list looks again.
CREATE TRIGGER documents_are_kept_again AFTER UPDATE OF retain_until ON documents
WHEN NEW.disposition = 'withheld' AND NEW.retain_until IS NOT OLD.retain_until
BEGIN
  UPDATE documents SET disposition = 'kept', disposed_at = NULL WHERE number = NEW.number;
END;

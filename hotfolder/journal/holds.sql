-- A migration. Never edited once released: see migrations.py.
--
-- How far a hold has come, and where it is to be marked in the store.

CREATE TABLE hold_progress (
  hold INTEGER PRIMARY KEY REFERENCES holds (number),
  phase TEXT NOT NULL DEFAULT 'GATHERING'
    CHECK (phase IN ('GATHERING', 'MARKING', 'PLACED', 'TELLING', 'LIFTING', 'LIFTED')),
  position INTEGER NOT NULL DEFAULT 0,  -- TELLING: documents, LIFTING: spools up to it are done
  documents INTEGER NOT NULL DEFAULT 0,  -- without carriers
  spools INTEGER NOT NULL DEFAULT 0,
  acknowledged_at REAL
) STRICT;
CREATE INDEX hold_progress_open ON hold_progress (hold) WHERE phase NOT IN ('PLACED', 'LIFTED');
CREATE TABLE hold_spools (
  hold INTEGER NOT NULL REFERENCES holds (number),
  spool INTEGER NOT NULL REFERENCES spools (number),
  state TEXT NOT NULL DEFAULT 'MARKING' CHECK (state IN ('MARKING', 'MARKED', 'LIFTED')),
  PRIMARY KEY (hold, spool)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_spools_spool ON hold_spools (spool, hold);
CREATE INDEX hold_spools_marking ON hold_spools (hold, spool) WHERE state = 'MARKING';
CREATE INDEX documents_carrier ON documents (spool) WHERE role = 'carrier';

-- Another token whenever another set of holds is in force, so that whoever has read them
-- knows whether he has to read them again. At random: a number would be used twice after a
-- transaction that was rolled back.
CREATE TABLE holds_token (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  token BLOB NOT NULL
) STRICT;
INSERT INTO holds_token VALUES (1, randomblob(16));

INSERT INTO hold_progress (hold, phase)
SELECT number, CASE WHEN released_at IS NULL THEN 'GATHERING' ELSE 'TELLING' END FROM holds;
UPDATE hold_progress SET documents = (
  SELECT count(*) FROM hold_members AS m JOIN documents AS d ON d.number = m.document
  WHERE m.hold = hold_progress.hold AND d.role <> 'carrier');
INSERT INTO hold_spools (hold, spool)
SELECT DISTINCT m.hold, d.spool FROM hold_members AS m JOIN documents AS d ON d.number = m.document;
UPDATE hold_progress SET spools = (
  SELECT count(*) FROM hold_spools AS s WHERE s.hold = hold_progress.hold);

CREATE TRIGGER holds_begin AFTER INSERT ON holds
BEGIN
  INSERT INTO hold_progress (hold) VALUES (NEW.number);
  UPDATE holds_token SET token = randomblob(16);
END;
CREATE TRIGGER holds_released AFTER UPDATE OF released_at ON holds
BEGIN
  UPDATE hold_progress SET phase = 'TELLING', position = 0, acknowledged_at = NULL
  WHERE hold = NEW.number;
  UPDATE holds_token SET token = randomblob(16);
END;
CREATE TRIGGER hold_progress_goes_on BEFORE UPDATE OF phase ON hold_progress
WHEN NEW.phase IS NOT OLD.phase AND NOT (
  (OLD.phase = 'GATHERING' AND NEW.phase IN ('MARKING', 'TELLING'))
  OR (OLD.phase = 'MARKING' AND NEW.phase IN ('PLACED', 'TELLING'))
  OR (OLD.phase = 'PLACED' AND NEW.phase = 'TELLING')
  OR (OLD.phase = 'TELLING' AND NEW.phase = 'LIFTING')
  OR (OLD.phase = 'LIFTING' AND NEW.phase = 'LIFTED'))
BEGIN SELECT RAISE(ABORT, 'a hold in this phase does not come to that one'); END;
CREATE TRIGGER hold_progress_is_not_deleted BEFORE DELETE ON hold_progress
BEGIN SELECT RAISE(ABORT, 'a hold is never deleted from the journal'); END;
CREATE TRIGGER hold_spools_are_not_deleted BEFORE DELETE ON hold_spools
BEGIN SELECT RAISE(ABORT, 'a spool leaves no hold'); END;

-- A document that is held holds its spool.
CREATE TRIGGER hold_members_hold_spools AFTER INSERT ON hold_members
BEGIN
  INSERT INTO hold_spools (hold, spool)
  SELECT NEW.hold, d.spool FROM documents AS d WHERE d.number = NEW.document AND NOT EXISTS (
    SELECT 1 FROM hold_spools AS s WHERE s.hold = NEW.hold AND s.spool = d.spool);
  UPDATE hold_progress SET documents = documents + (
    SELECT role <> 'carrier' FROM documents WHERE number = NEW.document)
  WHERE hold = NEW.hold;
END;
CREATE TRIGGER hold_spools_count AFTER INSERT ON hold_spools
BEGIN
  UPDATE hold_progress SET spools = spools + 1 WHERE hold = NEW.hold;
END;

-- Holding and destroying exclude each other, whatever code path comes by.
CREATE TRIGGER hold_members_too_late BEFORE INSERT ON hold_members
WHEN (SELECT disposition FROM documents WHERE number = NEW.document)
  IN ('destroying', 'destroyed')
BEGIN SELECT RAISE(ABORT, 'too late: this document is being destroyed'); END;
CREATE TRIGGER documents_held BEFORE UPDATE OF disposition ON documents
WHEN NEW.disposition IN ('withheld', 'destroying') AND NEW.disposition IS NOT OLD.disposition
  AND EXISTS (SELECT 1 FROM hold_members AS m JOIN holds AS h ON h.number = m.hold
    WHERE m.document = NEW.number AND h.released_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'a legal hold is on this document'); END;

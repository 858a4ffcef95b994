-- A migration. Never edited once released: see migrations.py.
--
-- Documents that are destroyed by destroying their key, while their spool stays
-- (docs/disposal.md).

ALTER TABLE tombstones ADD COLUMN by_key INTEGER NOT NULL DEFAULT 0 CHECK (by_key IN (0, 1));
CREATE INDEX tombstones_disposal ON tombstones (disposal, spool_id);

CREATE TRIGGER tombstones_by_key BEFORE INSERT ON tombstones
WHEN NEW.by_key = 1
  AND (SELECT encryption FROM spools WHERE id = NEW.spool_id) IN ('', 'spool')
BEGIN SELECT RAISE(ABORT, 'the documents of this spool have no keys of their own'); END;

-- What the store says was destroyed, after the journal was lost, needs no list: that went
-- with the journal. Such a spool has just been found in the store, and is not DONE yet, as
-- that of every document on a list is.
DROP TRIGGER documents_may_be_destroyed;
CREATE TRIGGER documents_may_be_destroyed BEFORE UPDATE OF disposition ON documents
WHEN NEW.disposition = 'destroying' AND OLD.disposition <> 'destroying'
  AND NOT EXISTS (SELECT 1 FROM spools AS s WHERE s.number = NEW.spool
    AND s.state = 'STORED' AND s.reason = 'rebuilt from the store')
  AND (NEW.retain_until IS NULL
  OR EXISTS (SELECT 1 FROM hold_members AS m JOIN holds AS h ON h.number = m.hold
    WHERE m.document = NEW.number AND h.released_at IS NULL)
  OR NOT EXISTS (SELECT 1 FROM disposal_members AS m JOIN disposals AS d ON d.number = m.disposal
    WHERE m.document = NEW.number AND d.state = 'EXECUTING' AND d.today > NEW.retain_until
      AND d.approved_by IS NOT NULL AND m.retain_until IS NEW.retain_until)
    AND NOT (NEW.role = 'carrier' AND EXISTS (SELECT 1 FROM disposals AS d
      WHERE d.state = 'EXECUTING' AND d.today > NEW.retain_until)))
BEGIN SELECT RAISE(ABORT, 'it may not be destroyed'); END;

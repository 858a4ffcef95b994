-- A migration. Never edited once released: see migrations.py.
--
-- A release that was refused ends nothing: a later one, by somebody who may, takes its place.

DROP TRIGGER seen_holds_are_only_released;
CREATE TRIGGER seen_holds_are_only_released BEFORE UPDATE ON seen_holds
WHEN NEW.number IS NOT OLD.number OR NEW.reference IS NOT OLD.reference
  OR NEW.matter IS NOT OLD.matter OR NEW.placed IS NOT OLD.placed
  OR (OLD.released IS NOT NULL AND NEW.released IS NOT OLD.released
    AND (NEW.released IS NULL
      OR (SELECT state FROM facts WHERE number = OLD.released) IS NOT 'REFUSED'))
  OR (OLD.hold IS NOT NULL AND NEW.hold IS NOT OLD.hold)
BEGIN SELECT RAISE(ABORT, 'a hold that was seen is released once, and never changed'); END;

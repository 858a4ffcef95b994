-- A migration. Never edited once released: see migrations.py.

-- A round looks at every spool that was stored when it began, once.
CREATE TABLE fixity_rounds (
  number INTEGER PRIMARY KEY,
  began_at REAL NOT NULL,
  upto INTEGER NOT NULL,  -- number of the newest spool that belongs to it
  root INTEGER NOT NULL DEFAULT 0,  -- where the walk for unknown objects is
  position TEXT NOT NULL DEFAULT '',
  ended_at REAL,
  finished INTEGER NOT NULL DEFAULT 0 CHECK (finished IN (0, 1)),
  totals TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(totals)),
  CHECK (finished = 0 OR ended_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX fixity_rounds_open ON fixity_rounds (1) WHERE ended_at IS NULL;

-- The last result of each spool in each root, and of which round it is.
CREATE TABLE fixity_results (
  spool INTEGER NOT NULL REFERENCES spools (number),
  root INTEGER NOT NULL CHECK (root >= 1),
  round INTEGER NOT NULL,
  last_at REAL NOT NULL,
  outcome TEXT NOT NULL,
  inventory_sha256 TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (spool, root)
) STRICT, WITHOUT ROWID;
CREATE INDEX fixity_results_oldest ON fixity_results (last_at, spool);
CREATE INDEX fixity_results_damaged ON fixity_results (spool) WHERE outcome <> 'whole';

-- What left the store is not waited for.
CREATE TRIGGER fixity_results_leave AFTER UPDATE OF state ON spools
WHEN NEW.state = 'REJECTED'
BEGIN DELETE FROM fixity_results WHERE spool = NEW.number; END;

-- Everything that was ever found damaged, missing or unknown.
CREATE TABLE fixity_damage (
  number INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  round INTEGER NOT NULL,
  spool_id TEXT NOT NULL,
  root INTEGER NOT NULL CHECK (root >= 1),
  outcome TEXT NOT NULL,
  UNIQUE (spool_id, root, round, outcome)
) STRICT;
CREATE TRIGGER fixity_damage_is_not_changed BEFORE UPDATE ON fixity_damage
BEGIN SELECT RAISE(ABORT, 'damage that was found is never forgotten'); END;
CREATE TRIGGER fixity_damage_is_not_deleted BEFORE DELETE ON fixity_damage
BEGIN SELECT RAISE(ABORT, 'damage that was found is never forgotten'); END;

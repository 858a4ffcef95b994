-- Documents that go out again. Never edited once released: see migrations.py.

CREATE TABLE requests (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 6 AND 64),
  source TEXT NOT NULL,  -- a request folder; empty for ArchivesSpace
  business_unit TEXT NOT NULL,
  uri TEXT UNIQUE,  -- of the event: each is answered once
  name BLOB NOT NULL,
  size INTEGER NOT NULL CHECK (size >= 0),
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN (
    'CLAIMING', 'RECEIVED', 'STAGED', 'ANSWERED', 'REJECTED', 'ABANDONED')),
  note TEXT NOT NULL DEFAULT '',
  profile TEXT NOT NULL DEFAULT '',
  fates TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(fates)),
  answer TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  reason TEXT NOT NULL DEFAULT '',
  CHECK ((uri IS NULL) = (source <> ''))
) STRICT;
CREATE INDEX requests_open ON requests (number)
  WHERE state IN ('CLAIMING', 'RECEIVED', 'STAGED');

CREATE TABLE orders (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 6 AND 64),
  identity TEXT NOT NULL,
  profile TEXT NOT NULL,
  why TEXT NOT NULL,
  actor TEXT NOT NULL,
  request INTEGER REFERENCES requests (number),
  state TEXT NOT NULL CHECK (state IN ('ORDERED', 'STAGED', 'GIVEN', 'FAILED')),
  staged TEXT CHECK (staged IS NULL OR json_valid(staged)),
  fate TEXT,
  unknown INTEGER NOT NULL DEFAULT 0 CHECK (unknown >= 0),  -- sent, and no clear answer
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  reason TEXT NOT NULL DEFAULT '',
  CHECK ((state IN ('STAGED', 'GIVEN')) <= (staged IS NOT NULL)),
  CHECK ((state IN ('GIVEN', 'FAILED')) = (fate IS NOT NULL))
) STRICT;
CREATE INDEX orders_open ON orders (number) WHERE state IN ('ORDERED', 'STAGED');
CREATE INDEX orders_of_request ON orders (request, number) WHERE request IS NOT NULL;
CREATE INDEX orders_of_document ON orders (identity, number);

-- As `history`, whose CHECK knows spools and units only.
CREATE TABLE steps (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('order', 'request')),
  subject INTEGER NOT NULL,
  at REAL NOT NULL,
  old TEXT,
  new TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX steps_of ON steps (kind, subject, number);

-- How far the server has been asked for requests, by its own clock.
CREATE TABLE asked (
  business_unit TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER steps_are_not_changed BEFORE UPDATE ON steps
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER steps_are_not_deleted BEFORE DELETE ON steps
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER orders_are_not_deleted BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'an order is never deleted from the journal'); END;
CREATE TRIGGER requests_are_not_deleted BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'a request is never deleted from the journal'); END;

CREATE TRIGGER orders_move BEFORE UPDATE OF state ON orders
BEGIN
  SELECT RAISE(ABORT, 'an order in this state may not move to that one')
  WHERE NOT EXISTS (SELECT 1 FROM moves WHERE kind = 'order' AND old = OLD.state AND new = NEW.state);
END;
CREATE TRIGGER requests_move BEFORE UPDATE OF state ON requests
BEGIN
  SELECT RAISE(ABORT, 'a request in this state may not move to that one')
  WHERE NOT EXISTS (SELECT 1 FROM moves WHERE kind = 'request' AND old = OLD.state AND new = NEW.state);
END;

CREATE TRIGGER orders_begin AFTER INSERT ON orders
BEGIN
  INSERT INTO steps (kind, subject, at, old, new, reason)
  VALUES ('order', NEW.number, NEW.updated_at, NULL, NEW.state, NEW.reason);
END;
CREATE TRIGGER orders_moved AFTER UPDATE OF state ON orders
BEGIN
  INSERT INTO steps (kind, subject, at, old, new, reason)
  VALUES ('order', NEW.number, NEW.updated_at, OLD.state, NEW.state, NEW.reason);
END;
CREATE TRIGGER requests_begin AFTER INSERT ON requests
BEGIN
  INSERT INTO steps (kind, subject, at, old, new, reason)
  VALUES ('request', NEW.number, NEW.updated_at, NULL, NEW.state, NEW.reason);
END;
CREATE TRIGGER requests_moved AFTER UPDATE OF state ON requests
BEGIN
  INSERT INTO steps (kind, subject, at, old, new, reason)
  VALUES ('request', NEW.number, NEW.updated_at, OLD.state, NEW.state, NEW.reason);
END;

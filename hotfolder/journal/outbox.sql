-- A migration. Never edited once released: see migrations.py.

-- Events that ArchivesSpace is to be told of, each once.
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY,
  refid TEXT NOT NULL UNIQUE CHECK (length(refid) BETWEEN 1 AND 255),
  business_unit TEXT NOT NULL,
  event TEXT NOT NULL CHECK (json_valid(event)),
  state TEXT NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'SENT')),
  created_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at REAL,
  last_error TEXT,
  sent_at REAL,
  record_uri TEXT,
  CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
  CHECK (state = 'WAITING' OR next_at IS NULL)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (number) WHERE state = 'WAITING';
CREATE TRIGGER outbox_is_not_deleted BEFORE DELETE ON outbox
BEGIN SELECT RAISE(ABORT, 'what was to be told is never deleted'); END;

-- The fifth migration. Never edited once released: see migrations.py.

-- What this log is called in its signed tree heads.
CREATE TABLE audit_log (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL CHECK (length(id) = 32)
) STRICT;
INSERT INTO audit_log VALUES (1, lower(hex(randomblob(16))));

-- Complete subtrees above the leaves, in the order in which they became complete: their
-- number is a function of level and index (core/merkle.py).
CREATE TABLE audit_nodes (
  number INTEGER PRIMARY KEY,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE tree_heads (
  number INTEGER PRIMARY KEY,
  tree_size INTEGER NOT NULL UNIQUE CHECK (tree_size >= 1),
  root TEXT NOT NULL CHECK (length(root) = 64),
  at TEXT NOT NULL,
  key TEXT NOT NULL CHECK (length(key) = 64),
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),
  signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;

CREATE INDEX audit_subject ON audit (subject);

-- An INSERT OR REPLACE would pass the triggers on change and deletion.
CREATE TRIGGER audit_nodes_follow BEFORE INSERT ON audit_nodes
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit_nodes)
BEGIN SELECT RAISE(ABORT, 'the nodes of the audit tree are append-only'); END;
CREATE TRIGGER audit_nodes_are_not_changed BEFORE UPDATE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'the nodes of the audit tree are append-only'); END;
CREATE TRIGGER audit_nodes_are_not_deleted BEFORE DELETE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'the nodes of the audit tree are append-only'); END;

CREATE TRIGGER tree_heads_follow BEFORE INSERT ON tree_heads
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM tree_heads)
  OR NEW.tree_size <= (SELECT coalesce(max(tree_size), 0) FROM tree_heads)
  OR NEW.tree_size > (SELECT coalesce(max(number), 0) FROM audit)
BEGIN SELECT RAISE(ABORT, 'tree heads are append-only'); END;
CREATE TRIGGER tree_heads_are_not_changed BEFORE UPDATE ON tree_heads
BEGIN SELECT RAISE(ABORT, 'tree heads are append-only'); END;
CREATE TRIGGER tree_heads_are_not_deleted BEFORE DELETE ON tree_heads
BEGIN SELECT RAISE(ABORT, 'tree heads are append-only'); END;

CREATE TRIGGER audit_log_is_one BEFORE INSERT ON audit_log
BEGIN SELECT RAISE(ABORT, 'the log has its id for good'); END;
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the log has its id for good'); END;
CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the log has its id for good'); END;

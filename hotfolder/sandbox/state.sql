CREATE TABLE IF NOT EXISTS record (
    uri TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    repository TEXT,
    body TEXT NOT NULL,
    root TEXT,
    parent TEXT,
    position INTEGER,
    suppressed INTEGER NOT NULL DEFAULT 0,
    lock_version INTEGER NOT NULL DEFAULT 0,
    created_by TEXT,
    last_modified_by TEXT,
    create_time INTEGER NOT NULL,
    system_mtime INTEGER NOT NULL,
    user_mtime INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS record_place ON record (kind, repository, number);
CREATE INDEX IF NOT EXISTS record_tree ON record (root, parent, position);
CREATE TABLE IF NOT EXISTS key (
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    uri TEXT NOT NULL,
    PRIMARY KEY (scope, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS key_uri ON key (uri);
CREATE INDEX IF NOT EXISTS key_value ON key (value);
CREATE TABLE IF NOT EXISTS link (
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS link_source ON link (source, kind);
CREATE INDEX IF NOT EXISTS link_target ON link (target, kind);
CREATE TABLE IF NOT EXISTS sequence (
    name TEXT PRIMARY KEY,
    used INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS enumeration (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS account (
    username TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    password TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS session (
    token TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    expiring INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tombstone (
    number INTEGER PRIMARY KEY,
    uri TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

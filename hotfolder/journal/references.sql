-- A migration. Never edited once released: see migrations.py.

-- References were all of one kind. What was journalled as a case reference stays one.
CREATE TABLE document_references (
  reference TEXT NOT NULL,
  document INTEGER NOT NULL REFERENCES documents (number),
  kind TEXT NOT NULL CHECK (kind IN ('case', 'claim', 'dispute', 'change')),
  PRIMARY KEY (reference, document, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO document_references SELECT reference, document, 'case' FROM case_references;
DROP TABLE case_references;

-- By its address in ArchivesSpace, with or without the repository in it: what follows
-- /repositories/N/ is unique in a whole instance. `naming.RECORD` says the same.
CREATE INDEX documents_record ON documents (
  substr(record_uri, 15 + instr(substr(record_uri, 15), '/'))
) WHERE record_uri IS NOT NULL;
CREATE INDEX units_record ON units (
  substr(archival_object_uri, 15 + instr(substr(archival_object_uri, 15), '/'))
) WHERE archival_object_uri IS NOT NULL;

-- A migration. Never edited once released: see migrations.py.
--
-- Versions of templates, and which documents name them.

CREATE TABLE templates (
  document INTEGER PRIMARY KEY REFERENCES documents (number),
  business_unit TEXT NOT NULL,
  name TEXT NOT NULL CHECK (name <> ''),
  family TEXT NOT NULL CHECK (family <> ''),
  version TEXT NOT NULL CHECK (version <> ''),
  -- As ArchivesSpace compares, and a number without its spelling: core/templates.py.
  name_fold TEXT NOT NULL,
  family_fold TEXT NOT NULL,
  version_fold TEXT NOT NULL,
  effective_from TEXT NOT NULL
    CHECK (effective_from GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  effective_until TEXT CHECK (effective_until IS NULL OR effective_until > effective_from),
  standing TEXT NOT NULL CHECK (standing IN ('approved', 'rejected', 'unapproved')),
  parent TEXT,
  details TEXT NOT NULL CHECK (json_valid(details)),  -- all of it, but for the members
  members INTEGER NOT NULL CHECK (members >= 0),
  told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))  -- its events were made
) STRICT;
CREATE INDEX templates_name ON templates (name_fold, business_unit);
CREATE INDEX templates_family ON templates (family_fold, business_unit);
CREATE INDEX templates_untold ON templates (document) WHERE told = 0;

CREATE TABLE template_members (
  template INTEGER NOT NULL REFERENCES templates (document),
  name TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size >= 0),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  crc32 INTEGER NOT NULL CHECK (crc32 BETWEEN 0 AND 4294967295),
  PRIMARY KEY (template, name)
) STRICT, WITHOUT ROWID;

-- One number of one template is one version, whatever code path brings another.
CREATE TRIGGER templates_have_one_version BEFORE INSERT ON templates
WHEN EXISTS (SELECT 1 FROM templates AS t JOIN documents AS d ON d.number = t.document
  WHERE t.name_fold = NEW.name_fold AND t.business_unit = NEW.business_unit
    AND t.version_fold = NEW.version_fold AND d.kept = 1 AND d.number <> NEW.document)
BEGIN SELECT RAISE(ABORT, 'this version of the template is there already'); END;
CREATE TRIGGER templates_are_not_changed BEFORE UPDATE ON templates
WHEN NEW.document IS NOT OLD.document OR NEW.details IS NOT OLD.details
  OR NEW.business_unit IS NOT OLD.business_unit OR NEW.name IS NOT OLD.name
  OR NEW.family IS NOT OLD.family OR NEW.version IS NOT OLD.version
  OR NEW.effective_from IS NOT OLD.effective_from
  OR NEW.effective_until IS NOT OLD.effective_until OR NEW.standing IS NOT OLD.standing
  OR NEW.parent IS NOT OLD.parent OR NEW.members IS NOT OLD.members OR NEW.told < OLD.told
BEGIN SELECT RAISE(ABORT, 'a version of a template is never changed'); END;
CREATE TRIGGER templates_are_not_deleted BEFORE DELETE ON templates
BEGIN SELECT RAISE(ABORT, 'a version of a template is never deleted from the journal'); END;
CREATE TRIGGER template_members_are_not_changed BEFORE UPDATE ON template_members
BEGIN SELECT RAISE(ABORT, 'a version of a template is never changed'); END;
CREATE TRIGGER template_members_are_not_deleted BEFORE DELETE ON template_members
BEGIN SELECT RAISE(ABORT, 'a version of a template is never deleted from the journal'); END;

-- The template that a document names, out of its metadata: no row that could be missing,
-- and the template may come after the document.
ALTER TABLE documents ADD COLUMN template TEXT
  GENERATED ALWAYS AS (json_extract(metadata, '$.template')) VIRTUAL;
ALTER TABLE documents ADD COLUMN template_version TEXT
  GENERATED ALWAYS AS (json_extract(metadata, '$.template_version')) VIRTUAL;
CREATE INDEX documents_template
  ON documents (template, template_version, issue_date)
  WHERE template IS NOT NULL AND live = 1 AND role <> 'carrier';

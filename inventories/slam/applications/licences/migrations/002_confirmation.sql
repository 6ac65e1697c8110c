-- Le site distant a-t-il confirmé le changement ? Et la purge des vieilles lignes cherche par instant.
ALTER TABLE journal ADD COLUMN confirme INTEGER NOT NULL DEFAULT 0 CHECK (confirme IN (0, 1));
CREATE INDEX journal_instant ON journal (instant);

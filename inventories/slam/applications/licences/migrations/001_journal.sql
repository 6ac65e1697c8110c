-- Journal des changements : qui a demandé quoi, quand, sur quelle licence. Rien de ce que contient la licence.
CREATE TABLE journal (
    id       INTEGER PRIMARY KEY,
    instant  TEXT NOT NULL, -- UTC : 2026-07-14T08:02:03Z
    compte   TEXT NOT NULL,
    action   TEXT NOT NULL CHECK (action IN ('ajout', 'retrait')),
    licence  TEXT           -- id donné par le site distant ; vide tant qu'il n'a pas répondu à un ajout
);

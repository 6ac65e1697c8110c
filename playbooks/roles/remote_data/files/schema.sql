-- Documents of applications; run again as often as one likes, as postgres.
\set ON_ERROR_STOP on
SELECT format('CREATE ROLE %I LOGIN', 'www-data')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'www-data') \gexec
SELECT $$CREATE DATABASE donnees TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'$$
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'donnees') \gexec
\connect donnees

BEGIN;
CREATE TABLE IF NOT EXISTS documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application text NOT NULL,
    collection text NOT NULL,
    content jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_collection ON documents (application, collection, id);
GRANT SELECT, INSERT, DELETE ON documents TO "www-data";

-- The first entries of a collection are given once: whoever removed them does not get them back.
CREATE TABLE IF NOT EXISTS begun (application text, collection text, PRIMARY KEY (application, collection));
WITH given AS (
    SELECT application.key AS application, collection.key AS collection, collection.value AS entries
    FROM jsonb_each(pg_read_file('/srv/donnees/seed.json')::jsonb) AS application,
         jsonb_each(application.value) AS collection
), new AS (
    INSERT INTO begun SELECT application, collection FROM given
    ON CONFLICT DO NOTHING RETURNING application, collection
)
INSERT INTO documents (application, collection, content)
SELECT application, collection, entry
FROM new JOIN given USING (application, collection), jsonb_array_elements(entries) WITH ORDINALITY AS one(entry, rank)
ORDER BY application, collection, rank;
COMMIT;

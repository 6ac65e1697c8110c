# Makes the application's account, database and files; says "changed" when it had to.
# $1: port, $2: database, $3: account (its password comes on standard input), $4: folder of the files.
set -eu
umask 077
read -r password
# Where there is a replica, nothing here waits for it: the primary may be alone.
export PGOPTIONS='-c synchronous_commit=local'
port=$1
sql() { runuser -u postgres -- psql --port "$port" --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 "$1"; }

for _ in $(seq 60); do pg_isready --quiet --port "$port" && break; sleep 0.5; done
# A replica has all of it from its primary.
[ "$(echo 'SELECT pg_is_in_recovery()' | sql postgres)" = f ] || exit 0
if [ -z "$(echo "SELECT 1 FROM pg_roles WHERE rolname = '$3'" | sql postgres)" ]; then
    echo "CREATE ROLE \"$3\" LOGIN" | sql postgres
    echo changed
fi
if [ -z "$(echo "SELECT 1 FROM pg_database WHERE datname = '$2'" | sql postgres)" ]; then
    echo "CREATE DATABASE \"$2\" OWNER \"$3\"" | sql postgres
    sql "$2" <<END
SET ROLE "$3";
CREATE TABLE regates (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nom text NOT NULL, jour date NOT NULL, cle text UNIQUE);
INSERT INTO regates (nom, jour) VALUES ('Coupe de printemps', '2026-04-11'), ('Tour de la baie', '2026-06-20');
END
    echo changed
fi
# The password is set only where it does not open: its salt, and so the catalogue, would change each time.
if ! PGPASSWORD=$password psql --quiet --no-psqlrc --command 'SELECT 1' \
    "host=127.0.0.1 port=$port dbname=$2 user=$3 sslmode=require" >/dev/null 2>&1; then
    echo "ALTER ROLE \"$3\" PASSWORD '$password'" | sql postgres
    echo changed
fi
if ! [ -e "$4/$2.sql" ]; then
    mkdir -p "$4/resultats"
    printf 'bateau;skipper;points\nPetrel;Le Goff;3\nSterne;Kerouedan;5\n' >"$4/resultats/2026-04-11.csv"
    printf 'Parcours : bouee 1, bouee 3, arrivee.\n' >"$4/parcours.txt"
    /etc/sio-backup.d/dbms
    echo changed
fi

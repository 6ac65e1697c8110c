# Makes the account that the two servers speak to each other with; says "changed" when it had to.
# $1: port, $2: account (its password comes on standard input), $3: name of this machine.
# The replica has all of it from the primary. No write here waits for a replica that is not there yet.
set -eu
umask 077
read -r password
export PGOPTIONS='-c synchronous_commit=local'
port=$1
sql() { runuser -u postgres -- psql --port "$port" --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 postgres; }

for _ in $(seq 60); do pg_isready --quiet --port "$port" && break; sleep 0.5; done
[ "$(echo 'SELECT pg_is_in_recovery()' | sql)" = f ] || exit 0
if [ -z "$(echo "SELECT 1 FROM pg_roles WHERE rolname = '$2'" | sql)" ]; then
    sql <<END
CREATE ROLE "$2" LOGIN REPLICATION;
GRANT pg_monitor TO "$2";
GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer), pg_reload_conf() TO "$2";
END
    echo changed
fi
# The password is set only where it does not open: its salt would change each time.
if ! PGPASSWORD=$password psql --quiet --no-psqlrc --command 'SELECT 1' \
    "host=$3 hostaddr=127.0.0.1 port=$port dbname=postgres user=$2 sslmode=require" >/dev/null 2>&1; then
    echo "ALTER ROLE \"$2\" PASSWORD '$password'" | sql
    echo changed
fi

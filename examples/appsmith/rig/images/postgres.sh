# Creates the database on the first start, and serves it.
set -eu
if [ ! -e "$PGDATA/PG_VERSION" ]; then
	umask 077
	printf %s "$POSTGRES_PASSWORD" >/tmp/password
	initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust >/dev/null
	rm /tmp/password
	echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
	pg_ctl -w -o '-c listen_addresses=' start >/dev/null
	createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
	pg_ctl -w stop >/dev/null
fi
exec postgres -c listen_addresses='*' -c fsync=off

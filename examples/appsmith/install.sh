#!/bin/sh
# Installs Appsmith with Docker: sh install.sh [FOLDER]. To upgrade, run a newer install.sh with --upgrade.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
upgrade=''
[ "${1-}" != --upgrade ] || { upgrade=yes; shift; }
folder=${1:-$PWD/appsmith}
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
. "$here/release.env" # the version, and where telemetry goes
APPSMITH_LISTEN=${APPSMITH_LISTEN:-80}

# ---- Telemetry: table.sh says what the plan allows. The kit candor.sh asks, stores the answers and sends.
TELEMETRY_URL=$APPSMITH_TELEMETRY_URL
TELEMETRY_WRITE_KEY=$APPSMITH_TELEMETRY_INSTALLER_KEY
TELEMETRY_VERSION=$APPSMITH_VERSION
TELEMETRY_STATE_DIR=$folder/telemetry
TELEMETRY_DOCKER_ENV=$folder/docker.env
TELEMETRY_PAGE=$APPSMITH_TELEMETRY_URL/privacy
. "$here/table.sh"
. "$here/candor.sh"

# Reports the kind of error, says what to do, offers help and ends.
fail() { # KIND SENTENCE
	telemetry_error "$1"
	echo "$2" >&2
	telemetry_support
	exit 1
}

existed=''
[ ! -e "$folder/docker-compose.yml" ] || existed=yes
mkdir -p "$folder"
telemetry_install_trap
telemetry_notice
[ "$upgrade" ] || telemetry_track 'Installation Started'

# ---- Checks.
. /etc/os-release
case $ID in
	almalinux | amzn | centos | debian | fedora | ol | raspbian | rhel | rocky | ubuntu) ;;
	*) fail os_not_supported "Appsmith does not support $ID. Use Debian, Ubuntu, Fedora or one of their relatives." ;;
esac
command -v docker >/dev/null || fail docker_missing 'Docker is not installed: https://docs.docker.com/engine/install'
command -v docker-compose >/dev/null || fail compose_missing 'docker-compose is not installed.'
docker info >/dev/null 2>&1 || fail docker_not_running 'Docker does not run, or you may not use it. Try: sudo systemctl start docker'
if [ "$upgrade" ]; then
	[ "$existed" ] || fail unknown "There is no Appsmith in $folder. Leave out --upgrade."
else
	[ ! "$existed" ] || fail directory_exists "There is an Appsmith in $folder already. Name another folder, or use --upgrade."
	(set -- "${APPSMITH_LISTEN##*:}" && ! grep -qi ":$(printf %04X "$1") [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6) ||
		fail port_taken "Port ${APPSMITH_LISTEN##*:} is in use. Stop what uses it, or set APPSMITH_LISTEN to another."
fi

# ---- Configuration.
cp "$here/docker-compose.yml" "$folder/"
cat >"$folder/.env" <<-ENV
	APPSMITH_VERSION=$APPSMITH_VERSION
	APPSMITH_LISTEN=$APPSMITH_LISTEN
	APPSMITH_USER=$(id -u):$(id -g)
ENV
if [ ! -e "$folder/docker.env" ]; then
	password=$(od -An -N16 -tx4 /dev/urandom | tr -d ' \n')
	(
		umask 077
		cat >"$folder/docker.env" <<-ENV
			POSTGRES_PASSWORD=$password
			APPSMITH_DB_URL=postgres://appsmith:$password@postgres:5432/appsmith
			APPSMITH_TELEMETRY_URL=$APPSMITH_TELEMETRY_URL
			APPSMITH_TELEMETRY_SERVER_KEY=$APPSMITH_TELEMETRY_SERVER_KEY
			APPSMITH_TELEMETRY_CLIENT_KEY=$APPSMITH_TELEMETRY_CLIENT_KEY
		ENV
	)
fi
telemetry_ask
telemetry_docker_env

# ---- Start.
cd "$folder"
docker-compose up -d >&2 || fail containers_not_started 'The containers did not start. Look at: docker-compose logs'
seconds=0
until docker-compose exec -T appsmith-internal-server node health.mjs 2>/dev/null; do
	seconds=$((seconds + 1))
	[ "$seconds" -lt "${APPSMITH_WAIT_SECONDS:-120}" ] || fail containers_not_started 'The server does not answer. Look at: docker-compose logs'
	sleep 1
done
[ "$upgrade" ] || telemetry_success
echo "Appsmith $APPSMITH_VERSION runs on port ${APPSMITH_LISTEN##*:}."

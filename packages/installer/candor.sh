# shellcheck shell=sh disable=SC2015,SC2016,SC2018,SC2019,SC2030,SC2031,SC2154
# Install telemetry for POSIX sh scripts: see README.md. Source it after the table of `candor generate sh`, which says
# what the plan allows (candor_plan_*). Sourcing only defines functions and variables. Scripts call telemetry_*: these
# never fail, print to stdout, read stdin or, except telemetry_support, wait for the network. kit_* is private. sh has
# no local variables, so comments name those set for the caller.

kit_policy_file=/etc/candor/policy kit_os_file=/etc/os-release
kit_nl='
'
# White space and quotes to strip. The x keeps $( ) from stripping the line break.
kit_around=$(printf ' "%s\t\v\f\r\nx' "'") kit_around=${kit_around%x}
# This run: id, prefix of outbox files, error, whether its end is reported; switches in docker.env.
kit_id='' kit_run='' kit_kind='' kit_ended='' kit_lines=''

telemetry_notice() { kit_safely kit_notice; }
telemetry_ask() { kit_safely kit_ask "$@"; }
telemetry_docker_env() { kit_safely kit_docker_env; }
telemetry_track() { kit_safely kit_track "$@"; }
telemetry_success() { kit_safely kit_success; }
telemetry_error() { kit_safely kit_error "$@"; }
telemetry_support() { kit_safely kit_support; }
telemetry_install_trap() { kit_safely kit_install_trap; }

# Descriptor 3 is the script's stderr, for messages; if closed, does nothing. `||` keeps `set -e` from ending it.
kit_safely() { # FUNCTION [ARGUMENT ...]
	(: >&2) && { kit_read_docker_env; "$@"; } 3>&2 2>/dev/null </dev/null || :
}

# ---- Consent: the rules of docs/consent.md, in their order. Any denial wins.
# Sets kit_reason and kit_covers. What the plan added after version kit_covers is withheld.
kit_decide() { # SOURCE: installer, server or client
	kit_source=$1 kit_covers=$CANDOR_PLAN_VERSION
	kit_rule=$(candor_plan_consent "$1") || kit_rule=opt-in
	kit_policy=''
	[ ! -e "$kit_policy_file" ] || kit_policy=$(candor_plan_policy "$kit_policy_file")
	kit_read_records
	for kit_reason in environment_disable environment_off environment_do_not_track environment_ci \
		environment_opt_in_off policy_off policy_unreadable receipt_unreadable stored_no log_mode consent_stale; do
		if "kit_denies_$kit_reason"; then return 1; fi
	done
	for kit_reason in consented notice_shown switch_offered environment_opt_in; do
		if "kit_allows_$kit_reason"; then return 0; fi
	done
	if [ "$kit_rule" = notice ]; then kit_reason=notice_missing; else kit_reason=consent_missing; fi
	return 1
}

kit_denies_environment_disable() { candor_plan_disable kit_may_be kit_is_truthy; }
kit_denies_environment_off() { kit_may_be kit_is_no "$CANDOR_PLAN_MODE"; }
kit_denies_environment_do_not_track() { kit_may_be kit_is_raised DO_NOT_TRACK; }
kit_denies_environment_ci() { [ "$kit_source" = installer ] && kit_is_ci; }
kit_denies_environment_opt_in_off() { [ "$kit_rule" = opt-in ] && kit_may_be kit_is_not_yes "$CANDOR_PLAN_OPT_IN"; }
kit_denies_policy_off() { [ "$kit_policy" = policy_off ]; }
kit_denies_policy_unreadable() { [ "$kit_policy" = policy_unreadable ]; }
kit_denies_receipt_unreadable() { [ ! "$kit_is_sound" ]; }
kit_denies_stored_no() { [ "$kit_answer" = no ]; }
kit_denies_log_mode() { kit_is kit_is_log "$CANDOR_PLAN_MODE"; }
# The consent is for a later plan, or for another plan of the same version.
kit_denies_consent_stale() {
	kit_is_answered && [ "$kit_answer_version" -ge "$CANDOR_PLAN_VERSION" ] &&
		[ "$kit_answer_version $kit_answer_hash" != "$CANDOR_PLAN_VERSION $CANDOR_PLAN_HASH" ]
}

kit_allows_consented() { [ "$kit_answer" = yes ] && kit_covers=$kit_answer_version; }
kit_allows_notice_shown() { kit_is_answered && kit_covers=$kit_answer_version; }
kit_allows_switch_offered() {
	[ "$kit_rule" = notice ] && [ "$kit_source" != installer ] && candor_plan_disable kit_is_in_environment
}
kit_allows_environment_opt_in() { [ "$kit_rule" = opt-in ] && kit_is kit_is_yes "$CANDOR_PLAN_OPT_IN"; }

kit_is_answered() { case $kit_answer-$kit_rule in yes-* | notice-notice) ;; *) false ;; esac; }

# CI=false means no CI, whatever else is set.
kit_is_ci() {
	kit_strip "${CI-}"
	if [ "$kit_word" ]; then kit_is_raised "$CI"; else candor_plan_ci kit_is_raised_here; fi
}

# ---- Switches, in the environment and in docker.env.
# Whether the variable passes the test in either place.
kit_is() { # TEST NAME
	kit_in_file=absent
	[ "$2" ] || return 1
	eval "kit_value=\${$2-}"
	"$1" "$kit_value" || { kit_look_up "$2" && "$1" "$kit_value"; }
}

# The same, or its value in docker.env is unknown.
kit_may_be() { kit_is "$@" || [ "$kit_in_file" = unknown ]; } # TEST NAME
kit_is_raised_here() { eval "kit_is_raised \"\${$1-}\""; } # NAME
kit_is_in_environment() { eval "[ \"\${$1+set}\" ]"; } # NAME

# Sets kit_word to the text in lower case, without surrounding white space and quotes.
kit_strip() { # TEXT
	kit_word=${1#"${1%%[!"$kit_around"]*}"}
	kit_word=${kit_word%"${kit_word##*[!"$kit_around"]}"}
	case $kit_word in *[A-Z]*) kit_word=$(printf %s "$kit_word" | tr A-Z a-z) ;; esac
}
kit_is_no() { kit_strip "$1" && case $kit_word in 0 | false | no | off) ;; *) false ;; esac; }
kit_is_yes() { kit_strip "$1" && case $kit_word in 1 | true | yes | on) ;; *) false ;; esac; }
kit_is_log() { kit_strip "$1" && [ "$kit_word" = log ]; }
kit_is_truthy() { kit_strip "$1" && [ "$kit_word" ] && ! kit_is_no "$1"; }
kit_is_not_yes() { kit_strip "$1" && [ "$kit_word" ] && ! kit_is_yes "$1"; }
# For DO_NOT_TRACK and CI, only 0 and false mean No.
kit_is_raised() { kit_strip "$1" && case $kit_word in '' | 0 | false) false ;; esac; }

# ---- Reading docker.env as docker-compose does.
# Sets kit_lines: NAME=VALUE for each switch in the file, NAME? if its value is unknown.
kit_read_docker_env() {
	kit_env=${TELEMETRY_DOCKER_ENV-} kit_lines=''
	[ ! -f "$kit_env" ] || [ ! -s "$kit_env" ] || kit_lines=$kit_nl$(kit_awk_env '' '') || kit_lines=unreadable
}

# Sets kit_in_file to absent, known or unknown, and kit_value. Succeeds if known.
kit_look_up() { # NAME
	kit_value='' kit_in_file=absent
	case $kit_lines$kit_nl in
		"unreadable$kit_nl" | *"$kit_nl$1?$kit_nl"*) kit_in_file=unknown ;;
		*"$kit_nl$1="*) kit_in_file=known kit_value=${kit_lines##*"$kit_nl$1="} ;;
	esac
	kit_value=${kit_value%%"$kit_nl"*}
	[ "$kit_in_file" = known ]
}

# Prints kit_lines or, given a NAME, the file with VALUE for it.
kit_awk_env() { # NAME VALUE
	names="$CANDOR_PLAN_SWITCHES DO_NOT_TRACK" name=$1 value=$2 LC_ALL=C awk "$kit_env_reader" "$kit_env"
}

# A value is unknown if docker-compose 1 and 2 disagree, or if it depends on other variables (a $, or no =).
# It counts as a refusal and is never rewritten. The last line for a name wins.
kit_env_reader='
BEGIN {
	split(ENVIRON["names"], list)
	for (i in list) wanted[list[i]] = 1
	nothing = "^[ \t]*(#[^\r]*)?$"
}
{
	text = raw[NR] = $0
	mark = NR == 1 && sub(/^\357\273\277/, "", text) ? 3 : 0
	sub(/\r$/, "", text)
	if (doubtful) doubt(text)
	else if (quote != "") read_quoted(text, 0)
	else if (text !~ nothing) read_statement(text)
}
END {
	if (quote != "") doubt(held)
	name = ENVIRON["name"]
	if (name == "") { for (name in found) print found[name]; exit }
	for (i = 1; i <= NR; i++) print (i == place[name] ? changed[name] : raw[i])
}
function read_statement(text) {
	if (text ~ /\r/ || !match(text, /^[ \t]*(export[ \t]+)?[A-Za-z0-9_.-]+[ \t]*=[ \t]*/) ||
		substr(text, RLENGTH + 1) ~ /^[^!-~]/) {
		doubt(text)
		# One version may read later lines as its value.
		if (text ~ /["\047]/) doubtful = 1
		return
	}
	start = RLENGTH
	key = substr(text, 1, start)
	gsub(/^[ \t]*(export[ \t]+)?|[ \t]*=[ \t]*$/, "", key)
	text = substr(text, start + 1)
	if (text ~ /^["\047]/) {
		quote = substr(text, 1, 1)
		held = key
		read_quoted(substr(text, 2), 1)
		return
	}
	differs = text ~ /\t#/
	sub(/ #.*/, "", text)
	sub(/[ \t]+$/, "", text)
	keep(text, 0, differs)
}
function read_quoted(text, is_first,   count, end, rest) {
	held = held "\n" text
	count = split(text, part, quote)
	for (i = 1; i < count; i++) {
		end += length(part[i]) + 1
		backslashes = match(part[i], /\\+$/) ? RLENGTH : 0
		if (backslashes % 2) continue
		# After an even number of them, the value ends in version 2 only.
		doubtful = backslashes > 0
		quote = ""
		rest = substr(text, end + 1)
		keep(substr(text, 1, end - 1), 1, doubtful || !is_first || rest !~ nothing)
		if (doubtful || rest !~ nothing) doubt(rest)
		return
	}
}
function keep(value, quotes, is_unknown) {
	if (!(key in wanted)) return
	found[key] = key (is_unknown || value ~ /[^ -~]/ || value ~ /[$\\]/ ? "?" : "=" value)
	place[key] = NR
	start += mark + quotes
	changed[key] = substr(raw[NR], 1, start) ENVIRON["value"] substr(raw[NR], start + length(value) + 1)
}
function doubt(text,   name) {
	for (name in wanted) if (index(text, name)) found[name] = name "?"
}'

# ---- Consent records: docs/state-folder.md.
# Sets kit_folder, kit_is_sound and, if kit_source has a record, kit_answer with its version and hash. A container may
# write to the folder, and this may run as root: no symbolic link is followed.
kit_read_records() {
	kit_folder=${TELEMETRY_STATE_DIR:-/dev/null} kit_text='' kit_line='' kit_is_sound='' kit_answer=''
	[ ! -L "$kit_folder" ] || kit_folder=/dev/null
	kit_records=$kit_folder/receipts.ndjson
	[ ! -L "$kit_records" ] && [ ! -L "$kit_folder/outbox" ] || return 1
	if [ -e "$kit_records" ]; then
		[ -f "$kit_records" ] || return 1
		while IFS= read -r kit_line; do kit_text=$kit_text$kit_line$kit_nl; done <"$kit_records" || return 1
		[ ! "$kit_line" ] || return 1
		# Status 1: every line is a record.
		candor_plan_receipts vq "$kit_records"
		[ "$?" = 1 ] || return 1
	fi
	kit_is_sound=yes
	kit_rest=${kit_text##*'{"source":"'"$kit_source"'","answer":"'}
	[ "$kit_rest" != "$kit_text" ] || return 0
	kit_answer=${kit_rest%%\"*}
	kit_rest=${kit_rest#*'"planVersion":'} kit_answer_version=${kit_rest%%,*}
	kit_rest=${kit_rest#*'"planHash":"'} kit_answer_hash=${kit_rest%%\"*}
}

kit_record() { # ANSWER [VERSION HASH]
	printf '{"source":"%s","answer":"%s","time":"%s","planVersion":%s,"planHash":"%s","by":"installer"}' \
		"$kit_source" "$1" "$(date -u +%FT%TZ)" "${2:-$CANDOR_PLAN_VERSION}" "${3:-$CANDOR_PLAN_HASH}"
}

# Creates the folders, not their parent.
kit_append() ( # FILE TEXT
	umask 077
	[ -d "${1%/*}" ] || mkdir "$kit_folder" "${1%/*}"
	printf '%s\n' "$2" >>"$1"
)

# ---- The notice and the questions.
# Shows the notice once, and again when the plan has grown. An opt-in installer asks instead.
kit_notice() {
	kit_ask_for installer
	case $kit_rule-$kit_reason in
		notice-consented) kit_decide server ;;
		notice-notice_shown) kit_has_grown || kit_decide server ;;
	esac
	if kit_is_notice_due; then
		printf '%s\n' "$(candor_plan_words notice)${TELEMETRY_PAGE:+: $TELEMETRY_PAGE}." \
			"To send nothing, set $CANDOR_PLAN_DISABLE=true." >&3
		for kit_name in installer server; do
			kit_decide "$kit_name"
			# A notice never replaces a person's answer.
			case $kit_rule-$kit_answer in
				notice- | notice-notice) kit_append "$kit_records" "$(kit_record notice)" ;;
			esac
		done
	fi
	kit_may_send
}

kit_is_notice_due() {
	case $kit_rule-$kit_reason-$kit_answer in
		notice-notice_missing-* | notice-consent_stale-notice) ;;
		notice-notice_shown-*) kit_has_grown ;;
		*) return 1 ;;
	esac
}

# Whether kit_source sends more than consent covers.
kit_has_grown() { [ "$(candor_plan_newest "$kit_source")" -gt "$kit_covers" ]; }

kit_ask() { # [--reconfigure]
	kit_said=''
	kit_ask_for client "$@"
	kit_docker_env "$kit_said"
}

# Asks once about an opt-in source, or what it adds. --reconfigure asks again, unless this machine refuses.
kit_ask_for() { # SOURCE [--reconfigure]
	kit_decide "$1"
	[ "$kit_rule" = opt-in ] || return 0
	case $kit_reason-${2-} in
		consent_missing-* | consent_stale-* | receipt_unreadable-*) kit_query ;;
		consented-) ! kit_has_grown || kit_was_asked || kit_query more ;;
		consented-* | stored_no-?* | environment_opt_in*-?*) kit_query ;;
	esac
}

# Whether this version was answered with No.
kit_was_asked() { grep -q "\"$kit_source\",\"answer\":\"no\".*\"planVersion\":$CANDOR_PLAN_VERSION," "$kit_records"; }

# Asks about kit_source and stores the answer. Sets kit_said to yes, no or, if nothing changes, ''.
kit_query() { # [more]
	kit_said='' kit_added='' kit_question=$(candor_plan_words "$kit_source")
	if [ "${1-}" ]; then
		kit_question="$(candor_plan_words more && candor_plan_news "$kit_source" "$kit_covers")$kit_nl$kit_question"
	fi
	kit_prompt "$kit_question"
	case $?-$kit_reason in
		130-*) return ;; # Ctrl-C is not an answer.
		0-*) ;;
		*-receipt_unreadable) return ;; # No answer: keep damaged records.
	esac
	if kit_is_typed_yes; then kit_said=yes; else kit_said=no; fi
	if [ "$kit_reason" = receipt_unreadable ]; then
		# An answer replaces damaged records, except every readable No.
		kit_added=$(candor_plan_receipts '' "$kit_records" | grep '"answer":"no"') && kit_added=$kit_added$kit_nl
		rm -f "$kit_records"
	fi
	kit_added=$kit_added$(kit_record "$kit_said")
	if [ "${1-}$kit_said" = moreno ]; then
		# The old Yes stays in force. The No before it records that this was asked.
		kit_said='' kit_added=$kit_added$kit_nl$(kit_record yes "$kit_answer_version" "$kit_answer_hash")
	fi
	kit_append "$kit_records" "$kit_added"
}

kit_is_typed_yes() { case $kit_reply in [Yy] | [Yy][Ee][Ss]) ;; *) false ;; esac; }

# Asks on the terminal, also under `curl | sh`. Sets kit_reply. Fails without an answer: on Ctrl-C with 130.
kit_prompt() { # QUESTION
	kit_reply=''
	! kit_is_ci && (: <>/dev/tty) || return 1
	[ -t 3 ] || exec 3>/dev/tty
	kit_reply=$(sh -c "$kit_reader" sh "${TELEMETRY_ASK_SECONDS:-60}" "$1") && return
	set -- "$?"
	echo >&3
	return "$1"
}

# A program that reads one line. `read` has no timeout in sh, but a process can be killed.
kit_reader='
exec </dev/tty
# In the background, read then fails instead of stopping the install.
trap "" INT TTIN TTOU
# In the foreground (only Linux tells), discards what was typed earlier.
read -r _ _ _ _ group _ _ foreground _ </proc/$$/stat && [ "$group" = "$foreground" ] && saved=$(stty -g) && {
	stty -icanon min 0 time 0
	cat >/dev/null
	stty "$saved"
}
trap - INT
seconds=$1
[ "$seconds" -gt 0 ] || seconds=60
(while sleep 1; kill -0 $$; do [ $((seconds -= 1)) -gt 0 ] || kill -9 $$; done) >/dev/null 3>&- &
printf "%s " "$2" >&3
read -r line && printf %s "$line"
set $?
kill $!
exit "$1"'

# ---- Writing docker.env.
# Writes both switches. Only a new answer or a refusal by this machine changes existing lines.
kit_docker_env() { # [ANSWER]
	kit_decide server
	case $kit_reason-$kit_in_file in
		*-unknown | environment_opt_in_off-* | stored_no-* | *_unreadable-*) ;;
		environment_* | policy_off-*)
			candor_plan_disable kit_is_truthy_in_file || kit_set "$CANDOR_PLAN_DISABLE" true
			;;
		*) candor_plan_disable kit_is_in_file || kit_set "$CANDOR_PLAN_DISABLE" false ;;
	esac
	kit_client=${1-}
	if [ ! "$kit_client" ] && ! kit_is_in_file "$CANDOR_PLAN_OPT_IN"; then
		if kit_decide client; then kit_client=yes; elif [ "$kit_reason" = stored_no ]; then kit_client=no; fi
	fi
	case $kit_client in
		yes) kit_set "$CANDOR_PLAN_OPT_IN" true ;;
		no) kit_set "$CANDOR_PLAN_OPT_IN" false ;;
	esac
}

kit_is_in_file() { kit_look_up "$1" || [ "$kit_in_file" = unknown ]; } # NAME
kit_is_truthy_in_file() { kit_look_up "$1" && kit_is_truthy "$kit_value"; } # NAME

# Keeps owner, mode and links of the file, and any unknown value.
kit_set() ( # NAME VALUE
	set +aC
	export LC_ALL=C
	[ "$1" ] && [ -w "$kit_env" ] || return
	kit_look_up "$1"
	if [ "$kit_in_file" = absent ]; then
		[ -z "$(tail -c 1 "$kit_env")" ] || echo >>"$kit_env"
		echo "$1=$2" >>"$kit_env"
	elif [ "$kit_in_file" = known ]; then
		kit_old=$(cat "$kit_env" && echo end) && kit_new=$(kit_awk_env "$1" "$2" && echo end) || return
		# If the disk is full, put the old text back.
		printf %s "${kit_new%end}" >"$kit_env" || printf %s "${kit_old%end}" >"$kit_env"
	fi
)

# ---- Events.
kit_track() { # EVENT [NAME=VALUE ...]
	if ! kit_may_send; then
		[ "$kit_reason" = log_mode ] && kit_text=$(kit_message log log "$@") && printf 'not sent: %s\n' "$kit_text" >&3
		return
	fi
	[ "${TELEMETRY_URL-}" ] || return
	kit_make_random
	kit_file=$kit_run$kit_random
	# A fixed name tells the script that a subshell has reported its end.
	if [ "$kit_ended" ] && ! kit_end_is_known; then kit_file=$kit_run-end; fi
	kit_text=$(kit_message "$kit_id" "$kit_random" "$@") || return
	kit_append "$kit_file.ndjson" "$kit_text" || return
	[ ! "$kit_resend" ] || kit_keep_id
	# In a subshell, as the script's `wait` must not wait for it.
	(trap '' HUP; sh -c "$kit_sender" sh "$TELEMETRY_URL" "$kit_file" "$kit_resend" >/dev/null &)
	kit_resend=''
}

kit_success() { kit_ended=yes && kit_track 'Installation Success'; }

# A kind that the plan does not allow becomes `unknown`, or else `other`.
kit_error() { # [KIND [NAME=VALUE ...]]
	kit_ended=yes
	for kit_kind in "${1:-unknown}" unknown other; do
		! candor_plan_allows 'Installation Errors' error "$kit_kind" || break
	done
	[ "$#" = 0 ] || shift
	kit_track 'Installation Errors' "error=$kit_kind" "$@"
}

kit_report_end() { [ "$kit_ended" ] || kit_end_is_known || kit_error "$1"; } # KIND

kit_end_is_known() { [ "$kit_run" ] && [ -e "$kit_run-end.ndjson" ]; }

# Whether this install may send; if so, sets its id. A refusal deletes what is waiting, doubt does not.
kit_may_send() {
	if ! kit_decide installer; then
		case $kit_reason-$kit_in_file in
			*-unknown) ;;
			environment_* | policy_off-* | stored_no-*)
				kit_id=''
				rm -f "$kit_folder/install.json"
				find "$kit_folder/outbox" -name 'installer-*' -exec rm -f {} +
				;;
		esac
		return 1
	fi
	[ ! "$kit_id" ] || return 0
	kit_make_random
	kit_id=$kit_random
	kit_run=$kit_folder/outbox/installer-$kit_rule-$(date -u +%Y%m%dT%H%M%SZ)-$kit_random
	kit_resend=$kit_run # Only for the first message: it also sends what earlier runs left.
}

# Keeps the id for the new instance's first heartbeat, if the plan allows it.
kit_keep_id() (
	[ "$CANDOR_PLAN_LINK" ] && cd "$kit_folder" && [ ! -e instance.json ] || return
	umask 077
	rm -f install.json
	set -C # Write through no link.
	printf '{"installId":"%s","createdAt":"%s"}\n' "$kit_id" "$(date -u +%FT%TZ)" >install.json
)

kit_make_random() { kit_random=$(od -An -N16 -tx4 /dev/urandom | tr -d ' \n'); }

# Prints a message as a line of JSON. Fails if consent does not cover it.
kit_message() ( # ID MESSAGE EVENT [NAME=VALUE ...]
	set +e
	export LC_ALL=C IFS="$kit_nl"
	kit_id=$1 kit_message_id=$2 kit_event=$3
	kit_is_covered "$3" || return
	shift 3
	case $kit_nl$* in *"${kit_nl}os="*) ;; *) set -- "$@" "os=$(kit_print_system)" ;; esac
	case $kit_nl$* in *"${kit_nl}version="*) ;; *) set -- "$@" "version=${TELEMETRY_VERSION-}" ;; esac
	kit_json=''
	kit_add '' library.name candor-installer
	kit_add '' library.version 0.1.0
	kit_context='' kit_library=$kit_json kit_json=''
	[ ! "$kit_library" ] || kit_context="\"context\":{\"library\":{$kit_library}},"
	for kit_pair; do kit_add "$kit_event" "${kit_pair%%=*}" "${kit_pair#*=}"; done
	kit_quote "$kit_event"
	printf '{"type":"track","event":%s,"anonymousId":"%s","messageId":"%s","timestamp":"%s",' \
		"$kit_quoted" "$kit_id" "$kit_message_id" "$(date -u +%FT%TZ)"
	kit_quote "${TELEMETRY_WRITE_KEY-}"
	printf '%s"integrations":{},"properties":{%s},"writeKey":%s}\n' "$kit_context" "$kit_json" "$kit_quoted"
)

# Adds to kit_json what plan and consent allow.
kit_add() { # EVENT NAME VALUE
	candor_plan_allows "$@" && kit_is_covered "$1" "$2" || return 0
	kit_quote "${2#library.}"
	kit_json=$kit_json${kit_json:+,}$kit_quoted:
	kit_quoted=$3
	[ "$(candor_plan_type "$1" "$2")" != string ] || kit_quote "$3"
	kit_json=$kit_json$kit_quoted
}

# Sets kit_quoted to a JSON string; ? replaces non-ASCII. Plans allow no control characters.
kit_quote() { # TEXT
	kit_quoted=$1
	case $1 in *[!A-Za-z0-9_.\ -]*) kit_quoted=$(printf %s "$1" | tr -c ' -~' '?' | sed 's/[\\"]/\\&/g') ;; esac
	kit_quoted="\"$kit_quoted\""
}

kit_is_covered() { kit_since=$(candor_plan_since "$@") && [ "$kit_since" -le "$kit_covers" ]; } # EVENT [PROPERTY]

kit_print_system() {
	kit_system=$(sed -n "s/^ID=[\"']*\([a-z0-9._-]*\).*/\1/p" "$kit_os_file")
	[ "$kit_system" ] || [ "$(uname)" != Darwin ] || kit_system=macos
	candor_plan_allows "$kit_event" os "$kit_system" || kit_system=other
	echo "$kit_system"
}

# ---- Sending.
# A program: URL MESSAGE RUN. Sends MESSAGE.ndjson, or stdin if MESSAGE is empty. With RUN, also sends what earlier runs
# left: files that do not begin with RUN.
kit_sender='
# Prints the answer, then its status.
post() { # RETRIES
	set -- --header "X-Retry-Count: $1" --header "Content-Type: application/json"
	printf "{\"batch\":[%s],\"sentAt\":\"%s\"}" "$(paste -sd, -)" "$(date -u +%FT%TZ)" | if command -v curl >/dev/null; then
		curl -qsw "%{http_code}" --connect-timeout 2 --max-time 3 "$@" --data-binary @- "$url"
	elif file=$(mktemp); then
		cat >|"$file"
		exec 4<"$file"
		rm "$file"
		timeout -s 9 3 wget -qO - "$@" --post-file /dev/fd/4 "$url" && echo 200
	fi
}
# Closes what the script has open, or readers of its pipes would wait for this. Copies of the shell are above 9, and
# close when a program starts.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
url=${1%/}/v1/batch message=$2 run=$3 outbox=${2%/*} retries=0
[ "$message" ] || { post 0; exit; }
umask 077
set -C # Write through no link.
[ -z "$run" ] || find "$outbox" -name "installer-*" -mtime +6 -exec rm -f {} +
for lines in "$message.ndjson" ${run:+"${run%-*-*}"-*.ndjson}; do
	# The other messages of this run have their own senders.
	case $retries$lines in "1$run"*) continue ;; esac
	done=${lines%ndjson}sent # The number of bytes done.
	[ -z "$(find "$lines" "$done" ! -type f)" ] || continue
	size=$(($(wc -c <"$lines"))) from=$(cat "$done" || echo 0)
	# A line without a line break is incomplete.
	if [ "$from" -lt "$size" ] && [ -z "$(tail -c 1 "$lines")" ]; then
		case $(tail -c "+$((from + 1))" "$lines" | post "$retries") in
			# Accepted, or rejected for good.
			*s\":true*200 | *s\":false*400 | *s\":false*413) rm -f "$done"; echo "$size" >"$done" ;;
			# Rejected; other files may not be.
			*40[0-7]) ;;
			*) exit ;;
		esac
	fi
	# A server now sends these files.
	[ ! -e "$outbox/../sender.lease" ] || exit
	retries=1
done'

# ---- The support request.
# The e-mail address is in no file, argument or environment. That needs curl: wget sends files.
kit_support() (
	set +aexC
	unset kit_reply kit_pair kit_json kit_quoted
	command -v curl >/dev/null && [ "${TELEMETRY_URL-}" ] || return
	kit_decide installer && kit_is_covered 'Installation Support' email || return
	kit_prompt "$(candor_plan_words support)"
	kit_is_typed_yes || return
	kit_prompt "$(candor_plan_words email)"
	# A new id: nothing links it to the install.
	kit_make_random
	if candor_plan_allows 'Installation Support' email "$kit_reply" &&
		kit_message "$kit_random" "$kit_random" 'Installation Support' "error=$kit_kind" "email=$kit_reply" |
		sh -c "$kit_sender" sh "$TELEMETRY_URL" '' '' | grep 's":true' >/dev/null
	then echo 'Sent.' >&3; else echo 'Nothing was sent or kept.' >&3; fi
)

# ---- The trap, for an end that the script did not report.
# The script's EXIT trap runs after ours. If it has an INT trap, we set none.
kit_install_trap() {
	# A subshell of bash lists its parent's traps until it sets one.
	command trap - KILL
	# Through a file: $( ) is a subshell, which has no traps.
	kit_path=$(mktemp) && trap >|"$kit_path" || return 1
	kit_traps=$(cat "$kit_path")
	rm -f "$kit_path"
	# The list is sh code, EXIT first: trap -- 'commands' EXIT
	kit_trap=$(eval "set -- ${kit_traps#trap --}"; [ "${2-}" != EXIT ] || printf %s "$1")
	case $kit_trap in *kit_status=*) return ;; esac
	kit_own_trap=$kit_trap
	# The `if` sets $? for the script's own trap.
	trap 'kit_status=$?
		[ "$kit_status" = 0 ] || kit_safely kit_report_end unknown
		if (exit "$kit_status"); then eval "$kit_own_trap"; else eval "$kit_own_trap"; fi' EXIT
	case $kit_traps$kit_nl in *INT"$kit_nl"*) return ;; esac
	# Only bash goes on after a program that handled Ctrl-C itself.
	trap 'kit_status=$? kit_command=${BASH_COMMAND-}
		[ "$kit_status" -lt 128 ] && [ "$(type -t "${kit_command%% *}" 2>&1)" = file ] || {
			kit_safely kit_report_end interrupted
			trap - INT
			kill -INT $$
		}' INT
}

# shellcheck shell=sh disable=SC2016,SC2046,SC2154
# Install telemetry, sourced after the table of `candor generate sh`: see README.md. No telemetry_ function fails.
# The rest is private: t_v is what functions give back, descriptor 3 the caller's stderr.

t_policy=/etc/candor/policy t_os=/etc/os-release t_id='' t_kind='' t_told='' t_given='' t_known='' t_nl='
'
t_off=$CANDOR_PLAN_DISABLE t_opt=$CANDOR_PLAN_OPT_IN t_who=$CANDOR_PLAN_PRODUCT t_plan=$CANDOR_PLAN_VERSION
for t_name in notice ask docker_env track success error support install_trap; do
	eval "telemetry_$t_name() { (: >&2) && t_$t_name \"\$@\" 3>&2 2>/dev/null </dev/null || :; }"
done

# As packages/consent decides.
t_decide() { # SOURCE: sets t_why, and t_covers, the version consented to
	t_dir=${TELEMETRY_STATE_DIR:-/dev/null} t_env=${TELEMETRY_DOCKER_ENV-} t_covers=$t_plan
	t_book=$t_dir/receipts.ndjson
	t_rule=$(candor_plan_consent "$1") || t_rule=opt-in
	t_read "$t_env"
	t_docker=$t_text
	if t_says disable "$t_off" -v '(0|false|no|off)?' ||
		t_says off "$CANDOR_PLAN_MODE" '0|false|no|off' ||
		t_says do_not_track DO_NOT_TRACK -v '(0|false)?' ||
		{ [ "$1" = installer ] && t_says ci CI -v '(0|false)?'; } ||
		{ [ "$t_rule" = opt-in ] && t_says opt_in_off "$t_opt" -v '(1|true|yes|on)?'; } ||
		t_policy_says || ! t_recall "$1" || { t_says log "$CANDOR_PLAN_MODE" log && t_why=log_mode; }; then return 1; fi
	case $t_rule-$t_said in
		*-yes | notice-notice) t_covers=$t_ver t_why=consent_stale
			[ "$t_ver" -lt "$t_plan" ] || [ "$t_ver-$t_hash" = "$t_plan-$CANDOR_PLAN_HASH" ] || return 1
			if [ "$t_said" = yes ]; then t_why=consented; else t_why=notice_shown; fi ;;
		notice-*) t_why=notice_missing
			eval "[ \"\${$t_off+x}\" ]" && [ "$1" != installer ] && t_why=switch_offered ;;
		*) t_why=consent_missing
			t_says opt_in "$t_opt" '1|true|yes|on' ;;
	esac
}

t_says() { # REASON NAME [-v] WORDS: whether the environment or docker.env says one (-v: another)
	[ "$2" ] || return 1
	t_find "$t_docker" "$2"
	eval "t_v=\${$2-}\$t_nl\$t_v"
	case $t_v-$1 in "$t_nl"-* | "${t_nl}false-disable") return 1 ;; esac
	printf '%s\n' "$t_v" | tr -d "\"' \t\v\f\r" | grep -Eixq "$3" ${4+"$4"} && t_why=environment_$1
}

t_read() { # FILE: sets t_text; fails if unreadable or without a last line break
	t_text='' t_line=''
	[ -f "$1" ] || return 1
	while IFS= read -r t_line; do t_text=$t_text$t_line$t_nl; done <"$1" || return 1
	t_text=$t_text$t_line
	[ ! "$t_line" ]
}

t_find() { # TEXT NAME: gives the value of the last NAME=VALUE
	t_v=$t_nl$1
	case $t_v in *"$t_nl$2="*) t_v=${t_v##*"$t_nl$2="} t_v=${t_v%%"$t_nl"*} ;; *) t_v='' && return 1 ;; esac
}

t_policy_says() {
	[ -e "$t_policy" ] || return 1
	t_why=$([ -f "$t_policy" ] && p=$t_who awk '
		{ sub(/[ \t\r]+$/, "") }
		/^(#|$)/ { next }
		!sub(/^off([ \t]+|$)/, "") { bad = 1; next }
		$0 == "" || tolower($0) == tolower(ENVIRON["p"]) { off = 1 }
		END { if (off) print "policy_off"; else exit bad }' "$t_policy" || echo policy_unreadable)
	[ "$t_why" ]
}

t_recall() { # SOURCE: fails on a No or any malformed line
	t_said='' t_why=receipt_unreadable
	[ -e "$t_book" ] || return 0
	t_read "$t_book" || return 1
	if [ "$t_text" != "$t_known" ]; then
		LC_ALL=C grep -Evxq '\{"source":"(installer|server|client)","answer":"(yes|no|notice)","time":"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,9})?Z","planVersion":(1000000|[1-9][0-9]{0,5}),"planHash":"[0-9a-f]{64}","by":"(installer|inspector|environment|product)"}' "$t_book"
		[ "$?" = 1 ] || return 1
		t_known=$t_text
	fi
	t_v=${t_text##*'{"source":"'"$1"'","answer":"'}
	[ "$t_v" != "$t_text" ] || return 0
	t_why=stored_no t_said=${t_v%%\"*} t_ver=${t_v#*n\":}
	t_hash=${t_ver#*h\":?} t_ver=${t_ver%%,*}
	t_hash=${t_hash%%\"*}
	[ "$t_said" != no ]
}

t_write() { # FILE LINE. Makes no parents.
	(umask 077; [ -d "${1%/*}" ] || mkdir "$t_dir" "${1%/*}"; printf '%s\n' "$2" >>"$1")
}

t_receipt() { # SOURCE ANSWER [VERSION HASH]: writes it
	t_write "$t_book" "{\"source\":\"$1\",\"answer\":\"$2\",\"time\":\"$(t_now)\",\"planVersion\":${3:-$t_plan},\"planHash\":\"${4:-$CANDOR_PLAN_HASH}\",\"by\":\"installer\"}"
}

t_now() { date -u +%FT%TZ; }

t_discard() { # Off is complete. A stale answer may be renewed.
	case $t_why in log_mode | consent_stale) return ;; esac
	t_id=''
	find "$t_dir/outbox" -name 'installer-*' -exec rm -f {} +
}

t_is_new() { [ "$(candor_plan_newest "$1")" -gt "$t_covers" ]; } # SOURCE

t_notice() {
	t_decide installer
	case $t_why in
		consent_missing) t_query installer; return ;;
		consented | notice_shown) t_is_new installer || t_is_new server || return ;;
		notice_missing | consent_stale) ;;
		*) t_discard; return ;;
	esac
	printf '%s\n' "$t_who tells its makers how this install goes and, later, that it is in use${TELEMETRY_PAGE:+: $TELEMETRY_PAGE}.
To send nothing, set $t_off=true." >&3 || return 1
	for t_name in installer server; do
		t_recall $t_name
		case $(candor_plan_consent $t_name)-$t_said in
			notice- | notice-notice) t_receipt $t_name notice ;;
		esac
	done
}

t_prompt() { # QUESTION: sets t_reply; 130: Ctrl-C
	t_reply=''
	(: </dev/tty) || return 1
	# Can be killed in time: sh has no read with a limit.
	t_reply=$(sh -c '(i=$1; while sleep 1; kill -0 $$; do [ $((i -= 1)) -gt 0 ] || kill $$; done) >/dev/null 3>&- &
		printf "%s " "$2" >&3; read -r r </dev/tty && printf %s "$r"; set $?; kill $!; exit $1' sh "${TELEMETRY_ASK_SECONDS:-60}" "$1") && return 0
	set -- "$?"
	echo >&3
	return "$1"
}

t_query() { # SOURCE [new]
	t_given='' t_reply='' t_text=''
	[ $# -eq 1 ] || t_text='More is collected than you said Yes to; a No leaves it at that. '
	t_says ci CI -v '(0|false)?' || t_prompt "${t_text}May $t_who also tell its makers which of its parts are used? [y/N]"
	case $?-$t_reply in 130-*) return ;; *-[Yy] | *-[Yy][Ee][Ss]) t_given=yes ;; *) t_given=no ;; esac
	[ "$t_why" != receipt_unreadable ] || rm -f "$t_book"
	t_receipt "$1" $t_given
	# The last line holds, the old Yes; the No tells t_ask that it was asked.
	[ "${2-}-$t_given" != new-no ] || { t_given='' && t_receipt "$1" yes "$t_ver" "$t_hash"; }
}

t_ask() { # [--reconfigure]: the question of the client
	t_decide client
	case $t_rule-$t_why-${1-} in
		notice-*) ;;
		*-consent_* | *-receipt_* | *_no-?* | *-consented-?* | *_opt_in*-?*) t_query client ;;
		*-consented-) ! t_is_new client || grep -q "t\",\"answer\":\"no\".*n\":$t_plan," "$t_book" || t_query client new ;;
	esac
	t_docker_env
}

t_docker_env() { # What stands there mostly stays.
	t_decide server
	[ "$t_env" ] || return 1
	case $t_why in
		environment_[!o]* | environment_off | policy_*) t_set "$t_off" true ;;
		*) t_find "$t_docker" "$t_off" || t_set "$t_off" false ;;
	esac
	[ "$t_given" ] || t_find "$t_docker" "$t_opt" ||
		if t_decide client; then t_given=yes; elif [ "$t_why" = stored_no ]; then t_given=no; fi
	case $t_given in yes) t_set "$t_opt" true ;; no) t_set "$t_opt" false ;; esac
}

t_set() ( # NAME VALUE: in place, so that owner, mode and links stay
	[ "$1" ] && umask 077 && set +C || return 1
	if t_find "$t_docker" "$1"; then
		cp -p "$t_env" "$t_env.old" && sed "s/^$1=.*/$1=$2/" "$t_env.old" >"$t_env" && rm -f "$t_env.old"
	else
		t_read "$t_env" || [ ! "$t_text" ] || echo >>"$t_env"
		echo "$1=$2" >>"$t_env"
	fi
)

t_track() { # EVENT [NAME=VALUE ...]
	if ! t_decide installer; then
		[ "$t_why" != log_mode ] || printf 'not sent: %s\n' "$(t_message log log "$@")" >&3
		t_discard
	elif [ "${TELEMETRY_URL-}" ]; then
		t_again=''
		if [ ! "$t_id" ]; then
			t_random
			t_id=$t_v t_run=$t_dir/outbox/installer-$(date -u +%Y%m%dT%H%M%SZ)-$t_v t_again=$t_run
		fi
		t_random
		t_name=$t_run$t_v
		t_text=$(t_message "$t_id" "$t_v" "$@") && t_write "$t_name.ndjson" "$t_text" || return 1
		# A grandchild: `wait` does not know it.
		(trap '' HUP; sh -c "$t_sender" sh "${TELEMETRY_URL%/}/v1/batch" "$t_name" "$t_again" >/dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &)
	fi
}

t_success() { t_told=1; t_track 'Installation Success'; }

t_error() { # [KIND]
	t_told=1 t_kind=${1:-unknown}
	t_track 'Installation Errors' "error=$t_kind"
}

t_random() { t_v=$(od -An -N16 -tx4 /dev/urandom | tr -d ' \n'); }

t_covered() { [ "$(candor_plan_since "$@" || echo 9999999)" -le "$t_covers" ]; } # EVENT [PROPERTY]

t_message() ( # ID MESSAGE EVENT [NAME=VALUE ...]
	set +e
	t_covered "$3" || return 1
	export LC_ALL=C
	t_read "$t_os"
	t_find "$t_text" ID || [ "$(uname)" != Darwin ] || t_v=macos
	t_v=${t_v#[\"\']}
	t_v=${t_v%[\"\']} t_list=''
	candor_plan_allows "$3" os "$t_v" || t_v=other
	case " $* " in *' os='*) ;; *) set -- "$@" "os=$t_v" ;; esac
	for t_pair; do
		t_name=${t_pair%%=*} t_v=${t_pair#*=}
		if candor_plan_allows "$3" "$t_name" "$t_v" && t_covered "$3" "$t_name"; then
			[ "$(candor_plan_type "$3" "$t_name")" != string ] || t_json "$t_v"
			t_pair=$t_v
			t_json "$t_name"
			t_list=$t_list,$t_v:$t_pair
		fi
	done
	t_json "${TELEMETRY_WRITE_KEY-}"
	t_pair=$t_v
	t_json "$3"
	printf '{"type":"track","event":%s,"anonymousId":"%s","messageId":"%s","timestamp":"%s","context":{"library":{"name":"candor-installer","version":"0.1.0"}},"integrations":{},"properties":{%s},"writeKey":%s}\n' \
		"$t_v" "$1" "$2" "$(t_now)" "${t_list#,}" "$t_pair"
)

t_json() { # TEXT: gives JSON
	case $1 in *[!0-9A-Za-z\ _-]*) set -- "$(printf %s "$1" | tr -c ' -~' '?' | sed 's/[\\"]/\\&/g')" ;; esac
	t_v="\"$1\""
}

# A program, as only exec closes what shells keep aside. URL [MESSAGE [RUN]]; without, it sends stdin.
t_sender='
post() { # AGAIN
	{ printf "{\"batch\":["; paste -sd, - | tr -d "\n"; printf "],\"sentAt\":\"%s\"}" "$(date -u +%FT%TZ)"; } | if type curl >/dev/null; then
		curl -qsw "%{http_code}" --connect-timeout 2 --max-time 3 -H "X-Retry-Count: $1" -H "$json" --data-binary @- "$url"
	elif f=$(mktemp); then
		cat >"$f"; exec 4<"$f"; rm "$f"
		wget -qO - --header "X-Retry-Count: $1" --header "$json" --post-file /dev/fd/4 "$url" &
		w=$!; (sleep 3; kill $w) >/dev/null & wait $w && echo 200
	fi
}
url=$1 json="Content-Type: application/json" outbox=${2%/*} again=0
[ "$2" ] || { post 0; exit; }
umask 077
[ -z "$3" ] || find "$outbox" -name "installer-*" -mtime +6 -exec rm -f {} +
for f in "$2.ndjson" ${3:+"$outbox"/installer-*.ndjson}; do
	case $again$f in "1$3"*) continue ;; esac
	n=${f%ndjson}sent size=$(($(wc -c <"$f"))); sent=$(cat "$n" || echo 0)
	[ "$sent" -lt "$size" ] && [ -z "$(tail -c 1 "$f")" ] && case $(tail -c "+$((sent + 1))" "$f" | post "$again") in
		*\"success\":true*200 | *400 | *413) echo "$size" >"$n.tmp" && mv -f "$n.tmp" "$n" ;;
		*) exit ;;
	esac
	[ ! -e "$outbox/../sender.lease" ] || exit
	again=1
done'

t_support() ( # The address: in no file, argument or environment.
	set +aexC
	unset t_reply t_pair t_list t_v
	t_decide installer || return 0
	t_prompt "May the makers of $t_who write to you about this install? [y/N]"
	case $t_reply in [Yy] | [Yy][Ee][Ss]) t_prompt 'Your e-mail address (empty: none is sent):' ;; *) return ;; esac
	t_random
	if ! candor_plan_allows 'Installation Support' email "$t_reply"; then echo 'No e-mail address: nothing was sent.'
	elif t_message "$t_v" "$t_v" 'Installation Support' "error=$t_kind" "email=$t_reply" | sh -c "$t_sender" sh "${TELEMETRY_URL%/}/v1/batch" '' | grep 's":true' >/dev/null; then echo 'Sent.'
	else echo 'Not sent, and not kept.'; fi >&3
)

t_install_trap() { # The caller's own stays.
	trap - KILL # In a subshell bash lists the parent's traps until one is set.
	t_path=$(mktemp) && trap >|"$t_path" || return 1
	t_read "$t_path"
	rm -f "$t_path"
	t_v=$(eval "set -- ${t_text#trap --}"; [ "${2-}" != EXIT ] || printf %s "$1")
	case $t_v in *t_code=*) return ;; esac
	t_own=$t_v
	trap 't_code=$?; [ "$t_code" = 0 ] || [ "$t_told" ] || telemetry_error; if (exit "$t_code"); then eval "$t_own"; else eval "$t_own"; fi' EXIT
	# A trap for a signal would hold up the end. On Ctrl-C only bash goes on if the running program does, or runs this one.
	case ${BASH_VERSION-}$t_text in [0-9]* | *INT"$t_nl"*) ;; *) trap '[ "$t_told" ] || telemetry_error interrupted; trap - INT; kill -s INT $$' INT ;; esac
}

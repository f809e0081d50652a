# shellcheck shell=sh disable=SC2016,SC2030,SC2031,SC2046,SC2154
# Install telemetry, sourced after the table of `candor generate sh`: README.md. No telemetry_ function fails.
# The rest is private. t_v is what it gives, descriptor 3 the caller's stderr.

t_policy=/etc/candor/policy t_os=/etc/os-release t_id='' t_kind='' t_told='' t_run='' t_given='' t_known='' t_tab='	' t_nl='
'
t_off=$CANDOR_PLAN_DISABLE t_opt=$CANDOR_PLAN_OPT_IN t_plan=$CANDOR_PLAN_VERSION
for t_name in notice ask docker_env track success error support install_trap; do
	eval "telemetry_$t_name() { (: >&2) && t_$t_name \"\$@\" 3>&2 2>/dev/null </dev/null || :; }"
done

t_decide() { # SOURCE: as packages/consent; sets t_why and the version that it t_covers
	t_dir=${TELEMETRY_STATE_DIR:-/dev/null} t_env=${TELEMETRY_DOCKER_ENV-} t_covers=$t_plan
	[ ! -L "$t_dir" ] || t_dir=/dev/null
	t_book=$t_dir/receipts.ndjson
	t_rule=$(candor_plan_consent "$1") || t_rule=opt-in
	t_docker=''
	[ -f "$t_env" ] && while IFS="$t_tab =:" read -r t_name t_line || [ "$t_name" ]; do
		[ "$t_name" != export ] || { t_name=${t_line%%[=:\ "$t_tab"]*} t_line=${t_line#*[=:]}; }
		case $t_name in "$t_off" | "${t_opt:-CI}" | "$CANDOR_PLAN_MODE" | DO_NOT_TRACK | CI) t_docker=$t_docker$t_nl$t_name=$t_line ;; esac
	done <"$t_env"
	if t_says disable "$t_off" -v '(0|false|no|off)?' ||
		t_says off "$CANDOR_PLAN_MODE" '0|false|no|off' ||
		t_says do_not_track DO_NOT_TRACK -v '(0|false)?' ||
		{ [ "$1" = installer ] && t_says ci CI -v '(0|false)?'; } ||
		{ [ "$t_rule" = opt-in ] && t_says opt_in_off "$t_opt" -v '(1|true|yes|on)?'; } ||
		{ [ -e "$t_policy" ] && t_why=$(candor_plan_policy "$t_policy") && [ "$t_why" ]; } || ! t_recall "$1" || { t_says log "$CANDOR_PLAN_MODE" log && t_why=log_mode; }; then return 1; fi
	case $t_rule-$t_said in
		*-yes | notice-notice) t_covers=$t_ver t_why=consent_stale
			[ "$t_ver" -lt "$t_plan" ] || [ "$t_ver-$t_hash" = "$t_plan-$CANDOR_PLAN_HASH" ] || return 1
			t_why=consented
			[ "$t_said" = yes ] || t_why=notice_shown ;;
		notice-*) t_why=notice_missing
			eval "[ \"\${$t_off+x}\" ]" && [ "$1" != installer ] && t_why=switch_offered ;;
		*) t_why=consent_missing
			t_says opt_in "$t_opt" '1|true|yes|on' ;;
	esac
}

t_says() { # REASON NAME [-v] WORDS: environment or docker.env says one (-v: another)
	[ "$2" ] || return 1
	t_find "$2"
	eval "t_v=\${$2-}\$t_nl\$t_v"
	case $t_v-$1 in "$t_nl"-* | "${t_nl}false-disable") return 1 ;; esac
	printf '%s\n' "$t_v" | tr -d "\"' \t\v\f\r" | grep -Eixq "$3" ${4+"$4"} && t_why=environment_$1
}

t_find() { # NAME: gives its last value in docker.env
	case $t_docker in *"$t_nl$1="*) t_v=${t_docker##*"$t_nl$1="} t_v=${t_v%%"$t_nl"*} ;; *) t_v='' && return 1 ;; esac
}

t_recall() { # SOURCE: fails on a No, a malformed line, or a link: containers write there
	t_said='' t_why=receipt_unreadable
	[ ! -L "$t_book" ] && [ ! -L "$t_dir/outbox" ] || return 1
	[ -e "$t_book" ] || return 0
	t_text='' t_line=''
	[ -f "$t_book" ] || return 1
	while IFS= read -r t_line; do t_text=$t_text$t_line$t_nl; done <"$t_book" || return 1
	[ ! "$t_line" ] || return 1
	if [ "$t_text" != "$t_known" ]; then
		candor_plan_receipts vq "$t_book"
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

t_write() { # FILE LINE
	(umask 077; [ -d "${1%/*}" ] || mkdir "$t_dir" "${1%/*}"; printf '%s\n' "$2" >>"$1")
}

t_line() { # SOURCE ANSWER [VERSION HASH]: prints a receipt
	printf '{"source":"%s","answer":"%s","time":"%s","planVersion":%s,"planHash":"%s","by":"installer"}' "$1" "$2" "$(date -u +%FT%TZ)" "${3:-$t_plan}" "${4:-$CANDOR_PLAN_HASH}"
}

t_ready() { # Gives this run its id, or deletes what waits, unless that may be sent later
	if ! t_decide installer; then
		case $t_why in log_mode | consent_stale | *_unreadable) ;; *) t_id='' && find "$t_dir/outbox" -name 'installer-*' -exec rm -f {} + ;; esac
		return 1
	fi
	[ ! "$t_id" ] || return 0
	t_random
	t_id=$t_v t_run=$t_dir/outbox/installer-$(date -u +%Y%m%dT%H%M%SZ)-$t_v t_again=$t_run
}

t_is_new() { [ "$(candor_plan_newest "$1")" -gt "$t_covers" ]; } # SOURCE

t_notice() {
	t_consult installer
	t_given=''
	case $t_rule-$t_why in
		notice-consented | notice-notice_shown) t_is_new installer || t_is_new server ;;
		notice-notice_missing | notice-consent_stale) ;;
		*) false ;;
	esac && printf '%s\n' "$(candor_plan_words notice)${TELEMETRY_PAGE:+: $TELEMETRY_PAGE}.
To send nothing, set $t_off=true." >&3 && for t_name in installer server; do
		t_recall $t_name
		case $(candor_plan_consent $t_name)-$t_said in notice-no) ;; notice-*) t_write "$t_book" "$(t_line $t_name notice)" ;; esac
	done
	t_ready
}

t_prompt() { # QUESTION: sets t_reply; fails without an answer, by 130 on Ctrl-C
	t_reply=''
	! (t_says ci CI -v '(0|false)?') && (: <>/dev/tty) || return 1
	[ -t 3 ] || exec 3>/dev/tty
	# A read that can be killed, does not stop in the background, and takes nothing typed before.
	t_reply=$(sh -c 'exec </dev/tty; trap "" INT TTIN TTOU; i=$1; [ "$i" -gt 0 ] || i=60
		read -r _ _ _ _ g _ _ t _ </proc/$$/stat && [ "$g" = "$t" ] && s=$(stty -g) && { stty -icanon min 0 time 0; cat >/dev/null; stty "$s"; }; trap - INT
		(while sleep 1; kill -0 $$; do [ $((i -= 1)) -gt 0 ] || kill -9 $$; done) >/dev/null 3>&- &
		printf "%s " "$2" >&3; read -r r && printf %s "$r"; set $?; kill $!; exit $1' sh "${TELEMETRY_ASK_SECONDS:-60}" "$1") && return 0
	set -- "$?"
	echo >&3
	return "$1"
}

t_query() { # SOURCE [new]
	t_text=''
	[ ! "${2-}" ] || t_text="$(candor_plan_words new) "
	t_prompt "$t_text$(candor_plan_words "$1")"
	case $?-$t_why in 130-* | [!0]*-*_unreadable) return ;; esac
	t_given=false t_said=no t_text=''
	case $t_reply in [Yy] | [Yy][Ee][Ss]) t_given=true t_said=yes ;; esac
	if [ "$t_why" = receipt_unreadable ]; then # Every No stays.
		t_text=$(candor_plan_receipts '' "$t_book" | grep '"no"') && t_text=$t_text$t_nl
		rm -f "$t_book"
	fi
	t_text=$t_text$(t_line "$1" $t_said)
	# The Yes holds; the No says that it was asked.
	[ "${2-}$t_said" != newno ] || t_given='' t_text=$t_text$t_nl$(t_line "$1" yes "$t_ver" "$t_hash")
	t_write "$t_book" "$t_text"
}

t_consult() { # SOURCE [--reconfigure]: asks for what is opt-in
	t_decide "$1"
	case $t_rule-$t_why-${2-} in
		notice-*) ;;
		*-consent_* | *-receipt_* | *_no-?* | *-consented-?* | *_opt_in*-?*) t_query "$1" ;;
		*-consented-) ! t_is_new "$1" || grep -q "\"$1\",\"answer\":\"no\".*n\":$t_plan," "$t_book" || t_query "$1" new ;;
	esac
}

t_ask() { # [--reconfigure]
	t_given=''
	t_consult client "$@"
	t_docker_env
}

t_docker_env() {
	t_decide server
	case $t_why in
		environment_d* | environment_off | policy_off) t_set "$t_off" true ;;
		stored_no | *_unreadable) ;;
		*) t_find "$t_off" || t_set "$t_off" false ;;
	esac
	[ "$t_given" ] || t_find "$t_opt" ||
		if t_decide client; then t_given=true; elif [ "$t_why" = stored_no ]; then t_given=false; fi
	[ ! "$t_given" ] || t_set "$t_opt" "$t_given"
}

t_set() ( # NAME VALUE: in place, for owner, mode and links
	export LC_ALL=C
	set +aC
	[ "$1" ] && [ -w "$t_env" ] || return 1
	if ! t_find "$1"; then
		[ -z "$(tail -c 1 "$t_env")" ] || echo >>"$t_env"
		echo "$1=$2" >>"$t_env"
	elif t_old=$(cat "$t_env" && echo x) && t_new=$(sed -E "s/^([[:blank:]]*(export[[:blank:]]+)?$1[[:blank:]]*[=:][[:blank:]]*).*/\1$2/" "$t_env" && echo x); then
		printf %s "${t_new%x}" >"$t_env" || printf %s "${t_old%x}" >"$t_env"
	fi
)

t_track() { # EVENT [NAME=VALUE ...]
	if ! t_ready; then
		[ "$t_why" != log_mode ] || printf 'not sent: %s\n' "$(t_message log log "$@")" >&3
	elif [ "${TELEMETRY_URL-}" ]; then
		t_random
		t_name=$t_run$t_v
		[ ! "$t_told" ] || [ -e "$t_run-end.ndjson" ] || t_name=$t_run-end
		t_text=$(t_message "$t_id" "$t_v" "$@") && t_write "$t_name.ndjson" "$t_text" || return 1
		# A grandchild: `wait` does not know it.
		(trap '' HUP; sh -c "$t_sender" sh "$TELEMETRY_URL" "$t_name" "$t_again" >/dev/null &)
		t_again=''
	fi
}

t_success() { t_told=1; t_track 'Installation Success'; }

t_error() { # [KIND [end]]: at the end, unless an end was told, if only by a subshell
	if [ "${2-}" ] && { [ "$t_told" ] || [ -e "$t_run-end.ndjson" ]; }; then return; fi
	t_told=1 t_kind=${1:-unknown}
	t_track 'Installation Errors' "error=$t_kind"
}

t_random() { t_v=$(od -An -N16 -tx4 /dev/urandom | tr -d ' \n'); }

t_covered() { [ "$(candor_plan_since "$@" || echo 9999999)" -le "$t_covers" ]; } # EVENT [PROPERTY]

t_message() ( # ID MESSAGE EVENT [NAME=VALUE ...]: tabs become quotes at last
	set +e
	t_covered "$3" || return 1
	export LC_ALL=C IFS="$t_nl"
	t_list='' t_v=$(sed -n "s/^ID=[\"']*\([a-z0-9._-]*\).*/\1/p" "$t_os")
	[ "$t_v" ] || [ "$(uname)" != Darwin ] || t_v=macos
	candor_plan_allows "$3" os "$t_v" || t_v=other
	case "$t_nl$*" in *"${t_nl}os="*) ;; *) set -- "$@" "os=$t_v" ;; esac
	for t_pair; do
		t_name=${t_pair%%=*} t_v=${t_pair#*=}
		if candor_plan_allows "$3" "$t_name" "$t_v" && t_covered "$3" "$t_name"; then
			[ "$(candor_plan_type "$3" "$t_name")" != string ] || t_v="$t_tab$t_v$t_tab"
			t_list="$t_list,$t_tab$t_name$t_tab:$t_v"
		fi
	done
	printf '{\ttype\t:\ttrack\t,\tevent\t:\t%s\t,\tanonymousId\t:\t%s\t,\tmessageId\t:\t%s\t,\ttimestamp\t:\t%s\t,\tcontext\t:{\tlibrary\t:{\tname\t:\tcandor-installer\t,\tversion\t:\t0.1.0\t}},\tintegrations\t:{},\tproperties\t:{%s},\twriteKey\t:\t%s\t}' \
		"$3" "$1" "$2" "$(date -u +%FT%TZ)" "${t_list#,}" "${TELEMETRY_WRITE_KEY-}" | tr -c ' -~\t' '?' | sed 's/[\\"]/\\&/g;y/	/"/'
	echo
)

# A program, as only exec closes what shells keep aside. URL [MESSAGE [RUN]]; without, it sends stdin.
t_sender='
post() { # AGAIN
	set -- --header "X-Retry-Count: $1" --header "Content-Type: application/json"
	printf "{\"batch\":[%s],\"sentAt\":\"%s\"}" "$(paste -sd, -)" "$(date -u +%FT%TZ)" | if type curl >/dev/null; then
		curl -qsw "%{http_code}" --connect-timeout 2 --max-time 3 "$@" --data-binary @- "$url"
	elif f=$(mktemp); then
		cat >|"$f"; exec 4<"$f"; rm "$f"
		timeout -s 9 3 wget -qO - "$@" --post-file /dev/fd/4 "$url" && echo 200
	fi
}
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
url=${1%/}/v1/batch outbox=${2%/*} again=0
[ "$2" ] || { post 0; exit; }
umask 077; set -C
[ -z "$3" ] || find "$outbox" -name "installer-*" -mtime +6 -exec rm -f {} +
for f in "$2.ndjson" ${3:+"$outbox"/installer-*.ndjson}; do
	n=${f%ndjson}sent
	case $again$f in "1$3"*) continue ;; esac
	[ -z "$(find "$f" "$n" ! -type f)" ] || continue
	size=$(($(wc -c <"$f"))) sent=$(cat "$n" || echo 0)
	[ "$sent" -lt "$size" ] && [ -z "$(tail -c 1 "$f")" ] && case $(tail -c "+$((sent + 1))" "$f" | post "$again") in
		*s\":true*200 | *s\":false*400 | *s\":false*413) rm -f "$n"; echo "$size" >"$n" ;;
		*40[0-7]) ;;
		*) exit ;;
	esac
	[ ! -e "$outbox/../sender.lease" ] || exit
	again=1
done'

t_support() ( # The address: in no file, argument or environment.
	set +aexC
	unset t_reply t_pair t_list t_v
	t_decide installer && t_covered 'Installation Support' email || return 0
	t_prompt "$(candor_plan_words support)"
	case $t_reply in [Yy] | [Yy][Ee][Ss]) t_prompt "$(candor_plan_words email)" ;; *) return ;; esac
	t_random
	if candor_plan_allows 'Installation Support' email "$t_reply" && t_message "$t_v" "$t_v" 'Installation Support' "error=$t_kind" "email=$t_reply" |
		sh -c "$t_sender" sh "$TELEMETRY_URL" '' | grep 's":true' >/dev/null; then echo 'Sent.'; else echo 'Nothing was sent or kept.'; fi >&3
)

t_install_trap() { # The caller's own stays.
	command trap - KILL # Else a subshell of bash lists its parent's.
	t_path=$(mktemp) && trap >|"$t_path" || return 1
	t_text=$(cat "$t_path")
	rm -f "$t_path"
	t_v=$(eval "set -- ${t_text#trap --}"; [ "${2-}" != EXIT ] || printf %s "$1")
	case $t_v in *t_code=*) return ;; esac
	t_own=$t_v
	trap 't_code=$?; [ "$t_code" = 0 ] || telemetry_error unknown end; if (exit "$t_code"); then eval "$t_own"; else eval "$t_own"; fi' EXIT
	# bash goes on after a program that takes Ctrl-C.
	case $t_text$t_nl in *INT"$t_nl"*) ;; *) trap 't_code=$? t_v=${BASH_COMMAND-}; [ "$t_code" -lt 128 ] && [ "$(type -t "${t_v%% *}" 2>&1)" = file ] || { telemetry_error interrupted end; trap - INT; kill -INT $$; }' INT ;; esac
}

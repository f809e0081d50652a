/**
 * Contains the part of the sh table that is the same for every plan: the checks of values, policies and
 * consent records.
 */

/**
 * The awk program that reads a policy file as docs/state-folder.md specifies. Prints `policy_off` if the
 * policy denies; otherwise fails if a line is invalid.
 */
const POLICY = String.raw`{ sub(/[ \t\r]+$/, "") }
    /^(#|$)/ { next }
    !sub(/^off([ \t]+|$)/, "") { bad = 1; next }
    $0 == "" || tolower($0) == tolower(ENVIRON["p"]) { off = 1 }
    END { if (off) print "policy_off"; else exit bad }`;

/**
 * Matches a consent record as specified in docs/consent.md. Without anchors, because `grep -x` matches whole
 * lines.
 */
const CONSENT_RECORD = String.raw`\{"source":"(installer|server|client)","answer":"(yes|no|notice)","time":"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,9})?Z","planVersion":(1000000|[1-9][0-9]{0,5}),"planHash":"[0-9a-f]{64}","by":"(installer|inspector|environment|product)"}`;

export const CHECKS = `# candor_plan_policy FILE: prints why a machine's policy denies, if it does.
candor_plan_policy() {
  { [ -f "$1" ] && p=$CANDOR_PLAN_PRODUCT awk '
    ${POLICY}' "$1"; } || echo policy_unreadable
}

# candor_plan_receipts OPTIONS FILE: greps for the lines that are receipts.
candor_plan_receipts() {
  LC_ALL=C grep "-Ex$1" '${CONSENT_RECORD}' "$2"
}

# What the table uses. Values with control characters, line breaks among them, are never allowed.
candor_plan_text() {
  case $1 in *[[:cntrl:]]*) return 1 ;; esac
  [ "\${#1}" -le "$2" ]
}
candor_plan_matches() {
  candor_plan_text "$1" "$2" && printf '%s\\n' "$1" | LC_ALL=C grep -E -q -x -e "$3"
}
candor_plan_email() {
  case $1 in *[[:space:]]* | *@*@* | @* | *@) return 1 ;; *@*) candor_plan_text "$1" "$2" ;; *) return 1 ;; esac
}
candor_plan_hash() {
  case $1 in *[!0123456789abcdef]*) return 1 ;; esac
  [ "\${#1}" -ge 32 ] && [ "\${#1}" -le 64 ]
}
candor_plan_integer() {
  case \${1#-} in '' | *[!0123456789]* | 0?* | ????????????????*) return 1 ;; esac
  [ "$1" != -0 ] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}
`;

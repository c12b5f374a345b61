# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Hub of the test's own. Source it; needs test.sh (which it sources).
#
# start_hub [OPTION…]      on the repositories of $REPOS (TEST_DIR/repos); sets HUB_URL CDN_URL CONTROL_URL HUB_PID
# make_model KIND [ARG…]   tests/lib/make-model into $REPOS
# The rest asks the Hub's control door; MATCH is a regular expression on path or ORG/NAME/FILE@COMMIT.

[ "$(type -t fail)" = function ] || . "$(dirname "${BASH_SOURCE[0]}")/test.sh"
REPOS=$TEST_DIR/repos
HUB_STATE=$TEST_DIR/hub-state
GRANTED_TOKEN=hf_granted_0123456789abcdef
STRANGER_TOKEN=hf_stranger_0123456789abcdef
requires curl jq /usr/bin/python3

# commit_of ORG/NAME: of main, as the Hub tells it
commit_of() { curl -sSf -H "Authorization: Bearer $GRANTED_TOKEN" "$HUB_URL/api/models/$1" | jq -r .sha; }

make_model() { "$SRC/tests/lib/make-model" "$REPOS" "$@"; }

start_hub() {
    mkdir -p "$REPOS" "$HUB_STATE"
    rm -f "$HUB_STATE/ready"
    "$SRC/tests/lib/hub" --repos "$REPOS" --state "$HUB_STATE" "$@" >> "$TEST_DIR/hub.log" 2>&1 &
    HUB_PID=$!
    cleanup_fn end_process "$HUB_PID"
    wait_until 60 hub_is_up
    . "$HUB_STATE/ready"
}

hub_is_up() {
    process_is_gone "$HUB_PID" && fail "the Hub did not start: $(cat "$TEST_DIR/hub.log")"
    [ -e "$HUB_STATE/ready" ]
}

# the next start_hub with the same --port takes its place
stop_hub() {
    kill "$HUB_PID"
    wait "$HUB_PID" 2> /dev/null || :
}

hub_port() { echo "${HUB_URL##*:}"; }

# hub_get /log|/count|/bytes|/waiting [match=REGEX] [side=hub|cdn] [method=GET]
hub_get() {
    local place=$1 query=() pair
    shift
    for pair; do query+=(--data-urlencode "$pair"); done
    curl -sSf -G "${query[@]}" "$CONTROL_URL$place"
}

hub_post() { curl -sSf -X POST --data-binary "${2:-}" "$CONTROL_URL$1"; }

hub_bytes() { hub_get /bytes "match=${1:-}"; }
hub_count() { hub_get /count "match=${1:-}" ${2:+"side=$2"}; }
hub_waiting() { hub_get /waiting "match=${1:-}"; }
hub_release() { hub_post /release > /dev/null; }
hub_reload() { hub_post /reload > /dev/null; }
hub_log() { hub_get /log "match=${1:-}"; }

# hub_rules JSON: adds a rule or a list (hubserver/rules.py); hub_rules_only forgets the others
hub_rules() { hub_post /script "$1" > /dev/null || fail "the Hub refused the rules: $1"; }
hub_rules_only() { hub_post '/script?replace=1' "$1" > /dev/null || fail "the Hub refused the rules: $1"; }
hub_rule_hits() { hub_get /script | jq "[.[].hits] | add // 0"; }

# no answer is on its way
hub_is_idle() { hub_log | jq -es 'all(.done)' > /dev/null; }
hub_in_flight() { hub_log "${1:-}" | jq -s 'map(select(.done | not)) | length'; }
hub_sends() { [ "$(hub_in_flight "${1:-}")" -ge 1 ]; }
hub_sent_more_than() { [ "$(hub_bytes "${2:-}")" -gt "$1" ]; }

# hub_stalls COUNT [MATCH]: so many requests or more stand still right now
hub_stalls() { [ "$(hub_waiting "${2:-}")" -ge "$1" ]; }

# assert_rule_hit: what the test is about did happen
assert_rule_hit() { assert_ge "$(hub_rule_hits)" 1 "no rule was used: nothing was in flight that the test could hit"; }

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every shell test stands on. Source it first (mount.sh and hub.sh do).
#
# TEST_DIR  scratch folder of this test; made when the caller has none, then removed after a success and kept after a failure
# SRC       the source tree; BUILD the build folder; WEIGHTFS the program under test
# A command that fails and is not asked about fails the test, with its line.

set -Eeuo pipefail
export LC_ALL=C

SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$SRC/build}
WEIGHTFS=$(realpath -m "${WEIGHTFS:-$BUILD/weightfs}")
TEST_NAME=${0##*/}
own_test_dir=
if [ -z "${TEST_DIR:-}" ]; then
    TEST_DIR=$(mktemp -d "${TMPDIR:-/tmp}/weightfs-$TEST_NAME.XXXXXX")
    own_test_dir=1
fi
TEST_DIR=$(realpath "$TEST_DIR")
export SRC BUILD WEIGHTFS TEST_DIR

cleanups=()
test_failed=

# cleanup_fn COMMAND [ARGUMENT…]: runs at the end, the last one first, whatever happened
cleanup_fn() { cleanups+=("$(printf '%q ' "$@")"); }

at_exit() {
    local code=$? n
    trap - ERR
    set +e
    exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- # what the test had open would keep a mount busy
    for ((n = ${#cleanups[@]} - 1; n >= 0; n--)); do
        eval "${cleanups[n]}"
    done
    [ -z "$test_failed" ] || code=1
    if [ -e "$TEST_DIR/.no-command" ] && [ "$code" = 0 ]; then
        echo "$TEST_NAME: there is no command $(sort -u "$TEST_DIR/.no-command" | tr '\n' ' ')" >&2
        code=1
    fi
    if [ -n "$own_test_dir" ]; then
        case $code in
            0|77) rm -rf "$TEST_DIR" ;;
            *) echo "kept: $TEST_DIR" >&2 ;;
        esac
    fi
    exit "$code"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap '[ "$BASH_SUBSHELL" -gt 0 ] || echo "$TEST_NAME:$LINENO: failed: $BASH_COMMAND" >&2' ERR

# A mistyped name within $(…) fails nothing by itself: what it should have printed is empty, and may be compared with "".
command_not_found_handle() {
    echo "$1" >> "$TEST_DIR/.no-command"
    echo "$1: command not found" >&2
    return 127
}

# In the test's own process group, so that whoever ends the test reaches what it waits for, and the cleanups run.
timeout() { command timeout --foreground "$@"; }

# fail SENTENCE: ends the test
fail() {
    local frame=0
    while [ "${BASH_SOURCE[frame+1]##*/}" != "$TEST_NAME" ] && [ $((frame + 2)) -lt ${#BASH_SOURCE[@]} ]; do
        frame=$((frame + 1))
    done
    echo "$TEST_NAME:${BASH_LINENO[frame]}: $*" >&2
    trap - ERR
    exit 1
}

# fail_later SENTENCE: the test fails at its end; for cleanups
fail_later() { echo "$TEST_NAME: $*" >&2; test_failed=1; }

skip() { echo "skipped: $*" >&2; exit 77; }

requires() {
    local command
    for command; do
        command -v "$command" > /dev/null || skip "no $command here"
    done
}

requires_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

# sanitizers and a busy machine: limits of time are stretched by this
case ${MODE:-release} in asan|tsan) slower=3 ;; *) slower=1 ;; esac

# wait_until SECONDS COMMAND [ARGUMENT…]: until the command succeeds, looked at every 20 ms; fails the test at the end of time
wait_until() {
    local seconds=$1 deadline
    shift
    deadline=$(( $(now_ms) + seconds * 1000 * slower ))
    until "$@" > /dev/null 2>&1; do
        [ "$(now_ms)" -lt "$deadline" ] || fail "not within $seconds s: $*"
        read -rt 0.02 <> <(:) || :
    done
}

now_ms() { local now=${EPOCHREALTIME/./}; echo $(( now / 1000 )); }

# assert_quick MS LIMIT_MS WHAT
assert_quick() { assert_le "$1" $(( $2 * slower )) "$3 took too long (ms)"; }

# elapsed_ms COMMAND [ARGUMENT…]: runs it (its failure does not matter), prints how long it took
elapsed_ms() {
    local start
    start=$(now_ms)
    "$@" > /dev/null 2>&1 || :
    echo $(( $(now_ms) - start ))
}

# assert_eq WANTED GOT WHAT
assert_eq() { [ "$1" = "$2" ] || fail "$3: wanted '$1', got '$2'"; }

# assert_le GOT LIMIT WHAT; assert_ge likewise
assert_le() { [ "$1" -le "$2" ] || fail "$3: $1 is more than $2"; }
assert_ge() { [ "$1" -ge "$2" ] || fail "$3: $1 is less than $2"; }

# assert_match PATTERN TEXT WHAT: an extended regular expression
assert_match() { [[ $2 =~ $1 ]] || fail "$3: '$2' does not match '$1'"; }

# assert_same FILE FILE WHAT: byte for byte
assert_same() { timeout 60 cmp -- "$1" "$2" >&2 || fail "$3"; }

# refuses PATTERN COMMAND [ARGUMENT…]: the command fails, not for lack of time, and what it says matches
refuses() {
    local pattern=$1 said code=0 limit=(timeout -k 2 30)
    shift
    [ "$(type -t "$1")" != function ] || limit=()
    said=$("${limit[@]}" "$@" 2>&1 > /dev/null) || code=$?
    [ "$code" != 0 ] || fail "was not refused: $*"
    [ "$code" != 124 ] || fail "took 30 s instead of being refused: $*"
    [[ $said =~ $pattern ]] || fail "refused with '$said', not '$pattern': $*"
}

# refuses_shell PATTERN SCRIPT [ARGUMENT…]: the same for what only a shell can do (redirections)
refuses_shell() {
    local pattern=$1 script=$2
    shift 2
    refuses "$pattern" bash -c "$script" bash "$@"
}

# in_background COMMAND [ARGUMENT…]: starts it, its pid in $!, killed at the end if it still runs then
in_background() {
    "$@" &
    cleanup_fn end_process $!
}

# with its children (timeout's, a subshell's); not waited for: one that hangs in the mount is freed by the mount's own cleanup, later
end_process() {
    local child
    for child in $(cat "/proc/$1/task/$1/children" 2> /dev/null); do end_process "$child"; done
    disown "$1" 2> /dev/null || :
    kill -9 "$1" 2> /dev/null || :
}

# exits_within SECONDS PID: waits for a child; its exit code in $child_code
exits_within() {
    wait_until "$1" process_is_gone "$2"
    child_code=0
    wait "$2" || child_code=$?
}

# a zombie is gone: it only waits for us
process_is_gone() {
    local state
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2> /dev/null) || return 0
    [ -z "$state" ] || [ "$state" = Z ]
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A mount of the test's own. Source it; brings test.sh and hub.sh along.
#
#     . "$(dirname "$0")/../lib/mount.sh"
#     make_model tiny
#     start_hub
#     start_mount -o stall_timeout_s=3
#     cat "$TINY/files/config.json"
#
# The daemon sees a clean environment: HF_ENDPOINT, HOME and XDG_* inside TEST_DIR, and what stands in the array mount_env.

. "$(dirname "${BASH_SOURCE[0]}")/hub.sh"

MNT=$TEST_DIR/mnt
STORE=$TEST_DIR/store
TINY=$MNT/hf/acme/tiny
MANY=$MNT/hf/acme/many
BIG=$MNT/hf/acme/big
mount_env=()
READ_ONLY="Read-only file system|Operation not permitted|Permission denied"

[ -x "$WEIGHTFS" ] || fail "there is no $WEIGHTFS; make builds it"
[ -r /dev/fuse ] && [ -w /dev/fuse ] || skip "no /dev/fuse that may be used"

# weightfs ARGUMENT…: the program in the clean environment, for at most $limit_s seconds (a daemon that it leaves behind is not meant)
limit_s=60
weightfs() {
    local passed=() name
    for name in ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS LSAN_OPTIONS WEIGHTFS_TRACE WEIGHTFS_FAULT NOTIFY_SOCKET; do
        [ -z "${!name:-}" ] || passed+=("$name=${!name}")
    done
    timeout -k 2 "$limit_s" env -i PATH="$PATH" LC_ALL="$LC_ALL" TEST_DIR="$TEST_DIR" TMPDIR="$TEST_DIR" HOME="$TEST_DIR/user" XDG_CONFIG_HOME="$TEST_DIR/user/config" \
        XDG_DATA_HOME="$TEST_DIR/user/data" XDG_CACHE_HOME="$TEST_DIR/user/cache" XDG_RUNTIME_DIR="$TEST_DIR/user/run" \
        HF_ENDPOINT="${HUB_URL:-http://127.0.0.1:1}" "${passed[@]}" "${mount_env[@]}" "$WEIGHTFS" "$@"
}

make_home() { mkdir -p "$TEST_DIR/user/config" "$TEST_DIR/user/data" "$TEST_DIR/user/cache" "$TEST_DIR/user/run"; }
make_home

# start_mount [-m MOUNTPOINT] [-s STORE] [-o OPTIONS]…: returns when the mount answers; it ends with the test
start_mount() {
    local point=$MNT store=$STORE options=() flag
    OPTIND=1
    while getopts m:s:o: flag; do
        case $flag in
            m) point=$OPTARG ;;
            s) store=$OPTARG ;;
            o) options+=(-o "$OPTARG") ;;
            *) fail "start_mount: -m, -s, -o" ;;
        esac
    done
    is_mounted "$point" || mkdir -p "$point"   # a dead mount is for weightfs to clear
    cleanup_fn end_mount "$point"
    local code=0
    weightfs mount --store "$store" "${options[@]}" "$point" < /dev/null >> "$TEST_DIR/mount.log" 2>&1 || code=$?
    [ "$code" = 0 ] || fail "weightfs mount failed ($code): $(tail -n 5 "$TEST_DIR/mount.log")"
    is_mounted "$point" || fail "weightfs mount returned, but nothing is mounted"
    timeout 5 test -e "$point/status" || fail "weightfs mount returned, but the mount does not answer"
}

# never touches the mount: it may hang
is_mounted() { awk -v point="$(realpath -ms "$1")" '$5 == point { found = 1 } END { exit !found }' /proc/self/mountinfo; }
mount_type() { awk -v point="$(realpath -ms "$1")" '$5 == point { for (n = 7; $n != "-"; n++); print $(n + 1) }' /proc/self/mountinfo; }
mount_device() { awk -v point="$(realpath -ms "$1")" '$5 == point { print $3 }' /proc/self/mountinfo | tail -n 1; }

# stop_mount [MOUNTPOINT]: as a user does it; the daemon is gone afterwards
stop_mount() {
    local point=${1:-$MNT} pid
    pid=$(daemon_pid "$point")
    weightfs umount "$point" || fail "weightfs umount failed"
    ! is_mounted "$point" || fail "still mounted after weightfs umount"
    wait_until 20 process_is_gone "$pid"
}

# for the end: with manners first, then by force, so that nothing stays
end_mount() {
    local point=$1 device pid
    is_mounted "$point" || return 0
    device=$(mount_device "$point")
    pid=$(timeout 2 jq -r .pid "$point/status.json" 2> /dev/null) || pid=
    timeout 10 umount "$point" 2> /dev/null || {
        echo 1 > "/sys/fs/fuse/connections/${device##*:}/abort"
        timeout 10 umount -l "$point"
    } 2> /dev/null || fail_later "cannot unmount $point"
    [ -z "$pid" ] || wait_for_end "$pid"
}

# daemons get 15 s to leave; one that does not is an error of its own
wait_for_end() {
    local deadline=$(( $(now_ms) + 15000 ))
    until process_is_gone "$1"; do
        if [ "$(now_ms)" -gt "$deadline" ]; then
            kill -9 "$1" 2> /dev/null || :
            fail_later "the daemon did not end 15 s after its mount was gone"
            return 0
        fi
        read -rt 0.02 <> <(:) || :
    done
}

daemon_pid() { timeout 5 jq -er .pid "${1:-$MNT}/status.json" || fail "the mount's status.json tells no pid"; }

# kill_daemon [MOUNTPOINT]: kill -9; only ever a process that runs the program under test
kill_daemon() {
    local pid
    pid=$(daemon_pid "${1:-$MNT}")
    assert_eq "$(realpath "$WEIGHTFS")" "$(realpath "/proc/$pid/exe")" "what runs as pid $pid"
    kill -9 "$pid"
    wait_until 10 process_is_gone "$pid"
}

# --- what the tree says

root_status() { timeout 5 jq -r ".$1" "$MNT/status.json"; }

# model_status FIELD [MODEL]
model_status() { timeout 5 jq -r ".$1" "${2:-$TINY}/status.json"; }

state_of() { timeout 5 cat "${1:-$TINY}/state"; }

is_state() { [ "$(state_of "${2:-$TINY}")" = "$1" ]; }

# await_job [MODEL]: cat wait, bounded; prints the state
await_job() { timeout -k 1 60 cat "${1:-$TINY}/wait" || fail "cat wait did not end"; }

# tell COMMAND [MODEL]: one line into ctl
tell() { timeout -k 1 15 bash -c 'echo "$1" > "$2"' bash "$1" "${2:-$TINY}/ctl"; }

# pull [MODEL] [WHAT…]: to the end
pull() {
    local model=${1:-$TINY}
    shift || :
    tell "pull${*:+ $*}" "$model"
    assert_eq ready "$(await_job "$model")" "state after pull"
}

# read_all FILE: as a reader would, bounded; to standard output
read_all() { timeout -k 1 60 cat "$1"; }

# same_as_origin MODEL FILE…: through the mount as in the repository
same_as_origin() {
    local model=$1 file
    shift
    for file; do
        assert_same "$model/files/$file" "$REPOS/${model#"$MNT"/hf/}/$file" "$file differs from its origin"
    done
}

# same_open FD FILE WHAT: an open file, by read(2) alone from where it stands (/dev/fd/N would open it anew; cat asks fstat, which needs the daemon)
same_open() { assert_same <(timeout -k 1 60 python3 -c 'import os
while data := os.read(0, 1 << 20):
    os.write(1, data)' <&"$1") "$2" "$3"; }

size_of() { stat -c %s "$1"; }

threads_of() { sed -n 's/^Threads:[[:space:]]*//p' "/proc/$1/status"; }

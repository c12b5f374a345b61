# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Servers that have models of their own. Source it beside mount.sh.
#
# start_remote NAME [OPTION…]   tests/lib/ollama-double, with its state in TEST_DIR/NAME; sets the variable NAME_url and NAME_pid
# remote_has NAME MODEL…        what it lists from now on: a name, or a JSON object with `name` and more
# remote_refuses NAME RULES     what goes wrong from now on, a JSON list (see the double); '[]' nothing
# remote_asked NAME PATTERN     how many requests "METHOD /path" matched
# stop_remote NAME              the next start_remote of NAME takes its port

requires jq /usr/bin/python3

start_remote() {
    local name=$1 state=$TEST_DIR/$1 port_name=$1_port URL=
    shift
    mkdir -p "$state"
    rm -f "$state/ready"
    "$SRC/tests/lib/ollama-double" --state "$state" --port "${!port_name:-0}" "$@" >> "$TEST_DIR/$name.log" 2>&1 &
    declare -g "${name}_pid=$!"
    cleanup_fn end_process "$!"
    wait_until 60 test -e "$state/ready"
    . "$state/ready"
    declare -g "${name}_url=$URL" "$port_name=${URL##*:}"
}

stop_remote() {
    local pid_name=$1_pid
    kill "${!pid_name}"
    wait "${!pid_name}" 2> /dev/null || :
}

remote_has() {
    local name=$1 model
    shift
    for model; do
        [[ $model == \{* ]] && printf '%s\n' "$model" || jq -cn --arg name "$model" '{$name}'
    done | jq -s . > "$TEST_DIR/$name/models.new"
    mv "$TEST_DIR/$name/models.new" "$TEST_DIR/$name/models.json"
}

remote_refuses() {
    jq . <<< "$2" > "$TEST_DIR/$1/refuse.order"
    mv "$TEST_DIR/$1/refuse.order" "$TEST_DIR/$1/refuse.json"
}

remote_log() { cat "$TEST_DIR/$1/log" 2> /dev/null || :; }
remote_asked() { remote_log "$1" | jq -r '"\(.method) \(.path)"' | grep -Ec -- "$2" || :; }

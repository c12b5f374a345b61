#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# llama.sh DIR: a real llama-server for tests and the demo, as DIR/llama-server, and DIR/python3 with the package gguf, which
# makes models for it.
#
# Its packages and all that they need, of Debian testing, whatever their version, fetched and verified by apt with a private
# state; unpacked under DIR/root, not installed, and run through their own loader: the machine's libraries are neither used nor
# touched. Quick when all is there; whole or absent.
set -euo pipefail
. "$(dirname "$0")/debian.sh"

SUITE=forky
dir=${1:?usage: llama.sh DIR}
mkdir -p "$dir"
dir=$(realpath "$dir")
exec 9>"$dir/lock"
flock 9
[ ! -x "$dir/llama-server" ] || exit 0
# The packages' files into $work/apt/cache/archives: an empty state of apt's means that it wants all that they depend on.
fetch() {
    local mirror
    for mirror in $(debian_mirrors); do
        private_apt "$work/apt" "deb [signed-by=$archive_keyring] $mirror $SUITE main"
        apt-get "${apt_private[@]}" update -q >&2 || continue
        apt-get "${apt_private[@]}" install --download-only -y -q --no-install-recommends llama.cpp-tools python3-gguf python3-numpy >&2 || continue
        return 0
    done
    return 1
}

# wrap NAME PROGRAM ASSIGNMENT…: DIR/NAME runs a program of the packages with their loader and libraries. The assignments are
# lines of its script.
wrap() {
    local name=$1 program=$2
    shift 2
    {
        printf '#!/bin/sh\n# written by scripts/llama.sh\nroot=%s\n' "$dir/root"
        [ $# = 0 ] || printf '%s\n' "$@"
        printf 'exec "$root%s" --library-path "%s" "$root%s" "$@"\n' "$loader" "$libraries" "$program"
    } >"$work/$name"
    chmod 755 "$work/$name"
}

# The back end is looked for where Debian installs it, which is not here: it is named, the best that surely runs on this CPU.
# shellcheck disable=SC2016
choose_backend='flags=" $(sed -n "/^flags/{s/.*://p;q}" /proc/cpuinfo) "
for backend in haswell:avx2.fma.f16c.bmi2 x64 ""; do
    for flag in $(echo "${backend#*:}" | tr . " "); do
        case $backend in *:*) case $flags in *" $flag "*) ;; *) continue 2 ;; esac ;; esac
    done
    GGML_BACKEND_PATH=$(find "$root/usr/lib" -name "libggml-cpu${backend:+-}${backend%%:*}*.so" | sort | head -n 1)
    [ -z "$GGML_BACKEND_PATH" ] || break
done
export GGML_BACKEND_PATH'

work=$dir/work
rm -rf "$work"
mkdir -p "$work/root"
say "fetching llama-server of Debian $SUITE, which takes a minute"
fetch || { say "no mirror in apt's configuration gave llama.cpp of Debian $SUITE"; exit 1; }
for package in "$work"/apt/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -C "$work/root" -x --no-same-owner --no-same-permissions
done
loader=$(cd "$work/root" && find usr/lib* -name 'ld-linux*.so.*' | head -n 1)
loader=/${loader:?the packages have no loader}
libraries=$(cd "$work/root" && find usr/lib -name '*.so*' -not -path '*/python3/*' -printf '$root/%h\n' | sort -u | paste -sd :)
wrap llama-server /usr/bin/llama-server "$choose_backend"
wrap python3 /usr/bin/python3 'export PYTHONHOME="$root/usr" PYTHONDONTWRITEBYTECODE=1'
rm -rf "$work/apt" "$dir/root"
mv "$work/root" "$dir/root"
mv "$work/python3" "$work/llama-server" "$dir/" # the server last: it says that all is there
rm -rf "$work"

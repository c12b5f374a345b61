#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deps.sh [SET…]: everything that building and testing needs, on Debian 12 and 13. Without a SET: all of them.
#
# Installs the packages that are missing (as root, or with sudo), builds a static libfuse under $DEPS where the system's is
# too old for passthrough, and writes $DEPS/deps.mk, which the Makefile includes. Quick when everything is there, safe to
# run twice, also at the same time.
#
#   DEPS=DIR      where to keep what is built (default: build)
#   FUSE=system   never build libfuse, take the system's
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/debian.sh

DEPS=${DEPS:-build}
FUSE_WANTED=3.17.1   # the first release with a usable passthrough
FUSE_SUITE=trixie    # the Debian release whose source package is built where the system's libfuse is older …
FUSE_PINNED=3.17.2   # … and the upstream version that it must be

# The packages of a set. `a|b`: either will do, a is what gets installed.
packages() {
    case $1 in
    build) echo 'gcc libc6-dev make pkg-config|pkgconf fuse3 libfuse3-dev libcurl4-openssl-dev|libcurl4-gnutls-dev' \
        'libsqlite3-dev libssl-dev libjansson-dev libarchive-dev libmicrohttpd-dev' ;;
    libfuse) echo 'meson ninja-build dpkg-dev patch xz-utils' ;;
    test) echo 'python3 jq curl attr procps util-linux prometheus inotify-tools mandoc' ;;
    fuzz) echo 'clang libclang-rt-dev' ;;
    lint) echo 'clang-format' ;;
    bench) echo 'nginx-light|nginx' ;;
    interop) echo 'debootstrap debian-archive-keyring' ;;
    llama) echo 'debian-archive-keyring' ;;
    esac
}
ALL="build test fuzz lint bench interop llama"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Prints those of its arguments that are not installed.
missing() {
    local want one installed
    installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | tr '\n' ' ') "
    for want in "$@"; do
        for one in ${want//|/ }; do
            [[ $installed == *" $one "* ]] && continue 2
        done
        echo "${want%%|*}"
    done
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

# Packages that come with a service (nginx) shall not start it on somebody's machine.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0
    [ -e "$policy" ] && { "$@"; return; }
    printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
    "$@" || status=$?
    as_root rm -f "$policy"
    return $status
}

# install_missing PACKAGE…
install_missing() {
    local lack=()
    mapfile -t lack < <(missing "$@")
    [ ${#lack[@]} = 0 ] && return 0
    say "installing ${lack[*]}"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "needs root (or sudo) to install packages; as root: apt-get install ${lack[*]}"
        exit 1
    fi
    # The lists may be absent or too old for what the mirror has now: then once more with new ones.
    if apt-cache show "${lack[@]}" >/dev/null 2>&1 && without_services apt_install "${lack[@]}"; then return 0; fi
    as_root apt-get update -q >&2
    without_services apt_install "${lack[@]}" || { say "could not install ${lack[*]}"; exit 1; }
}

fuse_version() { pkg-config --modversion fuse3 2>/dev/null || echo 0; }
at_least() { printf '%s\n%s\n' "$2" "$1" | sort -V -C; }

# fetch_libfuse DIR: Debian's own source package, downloaded and verified by apt, unpacked as DIR/fuse3-VERSION.
fetch_libfuse() {
    local dir=$1 mirror full
    for mirror in $(debian_mirrors); do
        private_apt "$dir/apt" "deb-src [signed-by=$archive_keyring] $mirror $FUSE_SUITE main"
        apt-get "${apt_private[@]}" update -q >&2 || continue
        full=$(apt-cache "${apt_private[@]}" showsrc --only-source fuse3 2>/dev/null |
            sed -n 's/^Version: //p' | grep -E "^${FUSE_PINNED//./\\.}-" | sort -V | tail -n 1) || true
        [ -n "$full" ] || { say "$FUSE_SUITE has no fuse3 $FUSE_PINNED"; continue; }
        (cd "$dir" && apt-get "${apt_private[@]}" source --download-only --only-source "fuse3=$full" >&2) || continue
        # apt has compared the files with the signed index; the uploader's own signature adds nothing to that.
        (cd "$dir" && rm -rf "fuse3-$FUSE_PINNED" && dpkg-source --no-check -x fuse3_*.dsc "fuse3-$FUSE_PINNED" >&2) || continue
        return 0
    done
    return 1
}

# build_libfuse: a static libfuse in $DEPS/libfuse. Whole or absent: it is moved there when it is complete.
build_libfuse() {
    local work source options=() top
    top=$(realpath "$DEPS")
    work=$top/libfuse.work
    [ -e "$top/libfuse/$FUSE_PINNED" ] && return 0
    local tools
    read -ra tools < <(packages libfuse)
    install_missing "${tools[@]}"
    say "building libfuse $FUSE_PINNED (system: $(fuse_version))"
    rm -rf "$work" && mkdir -p "$work"
    fetch_libfuse "$work" || return 1
    source=$work/fuse3-$FUSE_PINNED
    grep -q "enable-io-uring" "$source/meson_options.txt" && options+=(-Denable-io-uring=false)
    # bindir and sysconfdir are compiled in: the helper and its configuration are the system's.
    meson setup "$work/build" "$source" --prefix="$top/libfuse" --libdir=lib --bindir=/usr/bin --sysconfdir=/etc \
        --buildtype=debugoptimized -Ddefault_library=static -Dutils=false -Dexamples=false -Dtests=false "${options[@]}" >&2 &&
        ninja -C "$work/build" >&2 &&
        DESTDIR="$work/root" meson install -C "$work/build" --no-rebuild >&2 || return 1
    touch "$work/root$top/libfuse/$FUSE_PINNED"
    rm -rf "$top/libfuse"
    mv "$work/root$top/libfuse" "$top/libfuse"
    rm -rf "$work"
}

# write_mk VERSION CFLAGS LIBS
write_mk() {
    cat >"$DEPS/deps.mk.new" <<MK
# written by scripts/deps.sh
FUSE_VERSION := $1
FUSE_CFLAGS := $2
FUSE_LIBS := $3
MK
    mv "$DEPS/deps.mk.new" "$DEPS/deps.mk"
}

choose_libfuse() {
    local have
    have=$(fuse_version)
    if at_least "$have" "$FUSE_WANTED"; then
        write_mk "$have" "$(pkg-config --cflags fuse3) -DFUSE_USE_VERSION=317" "$(pkg-config --libs fuse3)"
    elif [ "${FUSE:-}" != system ] && build_libfuse; then
        write_mk "$FUSE_PINNED" "-isystem $DEPS/libfuse/include/fuse3 -isystem $DEPS/libfuse/include -DFUSE_USE_VERSION=317" \
            "$DEPS/libfuse/lib/libfuse3.a -lpthread -ldl"
    else
        say "libfuse $have of this system has no passthrough: complete files will be read from the page cache instead"
        write_mk "$have" "$(pkg-config --cflags fuse3) -DFUSE_USE_VERSION=314" "$(pkg-config --libs fuse3)"
    fi
}

mkdir -p "$DEPS"
exec 9>"$DEPS/.deps.lock"
flock 9

sets=("$@")
[ $# -gt 0 ] || read -ra sets <<<"$ALL"
wanted=()
for set in "${sets[@]}"; do
    [[ " $ALL " == *" $set "* ]] || { say "no such set: $set (there are: $ALL)"; exit 2; }
    read -ra names < <(packages "$set")
    wanted+=("${names[@]}")
done
if command -v dpkg-query >/dev/null; then
    install_missing "${wanted[@]}"
else
    say "not a Debian system: these have to be there already: ${wanted[*]}"
fi
[[ " ${sets[*]} " != *" llama "* ]] || scripts/llama.sh "$DEPS/llama" >"$DEPS/llama.log" 2>&1 ||
    { tail -n 20 "$DEPS/llama.log" >&2; say "no llama-server; the whole of it is in $DEPS/llama.log"; exit 1; }
[[ " ${sets[*]} " == *" build "* ]] || exit 0
pkg-config --print-errors --exists fuse3 libcurl sqlite3 libcrypto jansson libarchive libmicrohttpd
choose_libfuse

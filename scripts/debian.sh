# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Debian's archive, as this machine already reaches it. To be sourced.
#
# Where other releases than the machine's own are needed (a newer libfuse, the interop tree), they come from the mirror
# that apt is configured with, through the proxy that apt is configured with, and apt verifies their signatures with the
# archive's keyring. All state is private to the folder that is named; the machine's own lists and sources stay as they are.

archive_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Clocks of build machines run ahead of snapshot mirrors, whose Release files then count as expired. Only the dates are
# waived, never the signature.
apt_dates=(-o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false)

say() { printf 'deps: %s\n' "$*" >&2; }

# Prints, one a line, the base addresses in apt's configuration that seem to carry Debian releases (suite names of
# Debian's, not of a security or backports archive). Others may use Debian's suite names too: whoever takes one tries
# the next when it does not verify.
debian_mirrors() {
    local codename
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    apt-get --print-uris update 2>/dev/null |
        sed -nE "s#^'(https?://[^']+[^/])/+dists/(${codename:-stable}|oldstable|stable|testing|unstable|sid)/InRelease'.*#\1#p" |
        awk '!seen[$0]++'
}

# private_apt DIR SOURCES-LINE: sets the array `apt_private` to the options with which apt-get works in DIR alone.
private_apt() {
    local dir=$1 line=$2
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    printf '%s\n' "$line" >"$dir/sources.list"
    : >"$dir/status"
    apt_private=(
        -o "Dir::State=$dir" -o "Dir::State::lists=$dir/lists" -o "Dir::State::status=$dir/status"
        -o "Dir::Cache=$dir/cache" -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
        -o APT::Sandbox::User= -o APT::Get::List-Cleanup=false -o Acquire::Languages=none
        -o Acquire::Retries=3 "${apt_dates[@]}"
    )
}

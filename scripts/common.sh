# Shared by the scripts of this folder; sourced, not run.
#
# Holds the places (source tree, cache), the messages, and a private apt: its
# own sources, lists and archive folder inside the cache, so that kernels and
# guest packages can be fetched without root and without a change to the host.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${DRBD_CACHE:-$TOP/.cache}
DEBIAN=bookworm

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# with_lock NAME COMMAND...: one process at a time per name, over the whole cache.
with_lock() {
    local name=$1; shift
    mkdir -p "$CACHE/locks"
    (
        flock 9 || die "cannot lock $CACHE/locks/$name"
        "$@"
    ) 9>"$CACHE/locks/$name"
}

# mirror_of PATTERN DEFAULT: the address that this machine's own apt uses for a
# Debian archive, so that a site with a mirror of its own keeps using it.
mirror_of() {
    local found
    found=$(apt-get indextargets --format '$(REPO_URI) $(SUITE) $(CODENAME)' 2>/dev/null |
        awk -v want="$1" '$2 == want || $3 == want { print $1; exit }') || true
    printf '%s\n' "${found:-$2}"
}

# apt_private TOOL ARGUMENTS...: apt-get, apt-cache with the private state.
apt_private() {
    local tool=$1; shift
    local dir=$CACHE/apt
    "$tool" -qq \
        -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences="$dir/preferences" -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State="$dir/state" -o Dir::State::Lists="$dir/lists" \
        -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
        -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false \
        -o Acquire::Languages=none -o Debug::NoLocking=true "$@"
}

apt_private_init() {
    local dir=$CACHE/apt key=/usr/share/keyrings/debian-archive-keyring.gpg
    command -v apt-get >/dev/null || die "apt-get not found: the kernels and the guest's programs come from Debian packages"
    [ -e "$key" ] || die "$key not found: install debian-archive-keyring"
    # A day old is fresh enough: names of kernel packages change every few weeks.
    if [ -n "$(find "$dir/fresh" -mmin -1440 2>/dev/null)" ]; then return; fi
    mkdir -p "$dir"/{state,lists/partial,cache/archives/partial}
    : >"$dir/status"
    : >"$dir/preferences"
    local main security
    main=$(mirror_of "$DEBIAN" http://deb.debian.org/debian)
    security=$(mirror_of "$DEBIAN-security" http://deb.debian.org/debian-security)
    cat >"$dir/sources.list" <<LIST
deb [signed-by=$key] $main $DEBIAN main
deb [signed-by=$key] $main $DEBIAN-updates main
deb [signed-by=$key] $main $DEBIAN-backports main
deb [signed-by=$key] $security $DEBIAN-security main
LIST
    say "reading Debian's package lists into $dir"
    apt_private apt-get update || die "apt-get update failed: is the Debian archive reachable?"
    touch "$dir/fresh"
}

# fetch_debs FOLDER PACKAGE...: download into FOLDER (kept between runs).
fetch_debs() {
    local folder=$1; shift
    mkdir -p "$folder"
    (cd "$folder" && apt_private apt-get download "$@") ||
        die "cannot download $*; if the package lists are old, remove $CACHE/apt/fresh and try again"
}

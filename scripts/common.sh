# Shared by the scripts of this folder; sourced, not run.
#
# Holds the places (source tree, cache), the messages, and a private apt: its
# own sources, lists and archive folder inside the cache, so that kernels and
# guest packages can be fetched without root and without a change to the host.
# Each Debian release has lists of its own: packages of two never mix.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${DRBD_CACHE:-$TOP/.cache}
DEBIAN=bookworm

# use_debian RELEASE: from here on, apt_private and fetch_debs speak of this one.
use_debian() { DEBIAN=$1; }
apt_folder() { if [ "$DEBIAN" = bookworm ]; then echo "$CACHE/apt"; else echo "$CACHE/apt-$DEBIAN"; fi; }

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
    local dir
    dir=$(apt_folder)
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
    local dir key=/usr/share/keyrings/debian-archive-keyring.gpg
    dir=$(apt_folder)
    command -v apt-get >/dev/null || die "apt-get not found: the kernels and the guest's programs come from Debian packages"
    [ -e "$key" ] || die "$key not found: install debian-archive-keyring"
    # A day old is fresh enough: names of kernel packages change every few weeks.
    if [ -n "$(find "$dir/fresh" -mmin -1440 2>/dev/null)" ]; then return; fi
    mkdir -p "$dir"/{state,lists/partial,cache/archives/partial}
    : >"$dir/status"
    : >"$dir/preferences"
    local main security
    main=$(mirror_of bookworm http://deb.debian.org/debian)
    security=$(mirror_of bookworm-security http://deb.debian.org/debian-security)
    {
        echo "deb [signed-by=$key] $main $DEBIAN main"
        if [ "$DEBIAN" != sid ]; then echo "deb [signed-by=$key] $security $DEBIAN-security main"; fi
        if [ "$DEBIAN" = bookworm ]; then
            echo "deb [signed-by=$key] $main $DEBIAN-updates main"
            echo "deb [signed-by=$key] $main $DEBIAN-backports main"
        fi
    } >"$dir/sources.list"
    say "reading Debian's package lists into $dir"
    apt_private apt-get update || die "apt-get update failed: is the Debian archive reachable?"
    touch "$dir/fresh"
}

# fetch_debs FOLDER PACKAGE...: download into FOLDER (kept between runs).
fetch_debs() {
    local folder=$1; shift
    mkdir -p "$folder"
    (cd "$folder" && apt_private apt-get download "$@") ||
        die "cannot download $*; if the package lists are old, remove $(apt_folder)/fresh and try again"
}

# fetch_with_depends FOLDER PACKAGE...: the packages and all they depend on.
fetch_with_depends() {
    local folder=$1; shift
    rm -rf "$folder"
    mkdir -p "$folder/partial"
    apt_private apt-get -o Dir::Cache::archives="$folder" install --download-only -y "$@" >/dev/null ||
        die "cannot download $*; if the package lists are old, remove $(apt_folder)/fresh and try again"
}

# unpack_debs FOLDER DEB...: a root with merged /usr, without documentation.
unpack_debs() {
    local into=$1 deb; shift
    mkdir -p "$into"/usr/{bin,sbin,lib,lib64}
    local name
    for name in bin sbin lib lib64; do ln -sfn "usr/$name" "$into/$name"; done
    for deb in "$@"; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$into" \
            --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
            --exclude='./usr/share/info/*' --exclude='./usr/share/lintian/*' --exclude='./usr/share/bash-completion/*'
    done
}

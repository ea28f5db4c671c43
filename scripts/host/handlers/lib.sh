# shellcheck shell=bash
# Shared by DRBD's handlers; sourced. What a handler prints goes to the log.

export PATH=${DRBD_PATH:-/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin}
# Everything that is looked at is below it; empty but in tests.
# shellcheck disable=SC2034 # used by those who source this
root=${DRBD_ROOT:-}
facility=${facility:-local5}

say() {
    local level=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    logger -t "${0##*/}[$$]" -p "$facility.$level" -- "$*" 2>/dev/null
}

die() { # CODE MESSAGE
    local code=$1
    shift
    say err "$*"
    exit "$code"
}

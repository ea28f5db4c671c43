#!/bin/bash
# snapshot-resync-target-lvm.sh [-a KIB] [-p PERCENT] [-n] [-v] [-l FACILITY] [-- LVCREATE-ARGUMENTS]
# unsnapshot-resync-target-lvm.sh (the same file)
#
# before-resync-target: while data is resynced it is of no use, so a snapshot of
# the backing logical volume is made first. after-resync-target removes it.
#
#   -a KIB      room besides what is out of sync (10240)
#   -p PERCENT  room in addition, of the volume's size (10)
#   -n          a snapshot that cannot be made refuses the resync
#   -v          say what is done
#
# /etc/default/drbd-snapshot may set SNAP_ADDITIONAL, SNAP_PERCENT,
# DISCONNECT_ON_ERROR (yes or no), BE_VERBOSE and SNAP_NAME.
facility=local5
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

SNAP_ADDITIONAL=10240 SNAP_PERCENT=10 DISCONNECT_ON_ERROR=no BE_VERBOSE=no SNAP_NAME=
# shellcheck source=/dev/null
if [ -r "$root/etc/default/drbd-snapshot" ]; then . "$root/etc/default/drbd-snapshot"; fi

while getopts a:p:nvl: option; do
    case $option in
    a) SNAP_ADDITIONAL=$OPTARG ;;
    p) SNAP_PERCENT=$OPTARG ;;
    n) DISCONNECT_ON_ERROR=yes ;;
    v) BE_VERBOSE=yes ;;
    l) facility=$OPTARG ;;
    *) exit 0 ;; # a slip in the options must not stop resyncs
    esac
done
shift $((OPTIND - 1))

verbose() { if [ "$BE_VERBOSE" = yes ]; then say info "$*"; fi; }

fail() {
    say err "$*"
    if [ "$DISCONNECT_ON_ERROR" = yes ]; then exit 1; fi
}

if [ -z "${DRBD_RESOURCE:-}" ]; then
    fail "DRBD_RESOURCE is not set: this is called by drbdadm as a handler"
    exit 0
fi

# volume_paths prints "NUMBER MINOR PATH" of each volume with a disk; the kernel
# may name one volume.
volume_paths() {
    local minor
    if [ -n "${DRBD_VOLUME:-}" ] && [ -n "${DRBD_LL_DISK:-}" ]; then
        paste -d ' ' <(tr ' ' '\n' <<<"$DRBD_VOLUME") <(tr ' ' '\n' <<<"$DRBD_MINOR") <(tr ' ' '\n' <<<"$DRBD_LL_DISK")
        return
    fi
    for minor in ${DRBD_MINOR:-$(drbdadm sh-minor "$DRBD_RESOURCE")}; do
        echo "0 $minor $(drbdadm sh-ll-dev "minor-$minor")"
    done
}

# out_of_sync MINOR: KiB, as far as anybody knows; else the whole device.
out_of_sync() {
    local n
    n=$(sed -n "/^ *$1: cs:/,/oos:/s/.*oos:\([0-9]*\).*/\1/p" "$root/proc/drbd" | head -n 1)
    if [ -z "$n" ]; then
        n=$(drbdsetup events2 --now --statistics "$DRBD_RESOURCE" | sed -n "s/^exists peer-device name:.* volume:$2 .*out-of-sync:\([0-9]*\).*/\1/p" | sort -n | tail -n 1)
    fi
    echo "${n:-0}"
}

lv_field() { lvs --noheadings --nosuffix --units k -o "$1" "$2" 2>/dev/null | tr -d ' '; }

snapshot() { # NUMBER MINOR PATH
    local group name size oos room snap
    group=$(lv_field vg_name "$3") name=$(lv_field lv_name "$3")
    if [ -z "$group" ] || [ -z "$name" ]; then
        fail "volume $1: $3 is no logical volume, so there is no snapshot of it"
        return
    fi
    snap=${SNAP_NAME:-$name-before-resync}
    if [ -n "$(lv_field lv_name "$group/$snap")" ]; then
        verbose "$group/$snap is there already; it is from before an earlier resync that did not end, and stays"
        return
    fi
    size=$(lv_field lv_size "$3") size=${size%%.*}
    oos=$(out_of_sync "$2" "$1")
    room=$((oos + SNAP_ADDITIONAL + size * SNAP_PERCENT / 100))
    # A snapshot can never need more than the volume has, and some for itself.
    if [ $room -gt $((size + SNAP_ADDITIONAL)) ]; then room=$((size + SNAP_ADDITIONAL)); fi
    verbose "volume $1: snapshot $group/$snap of $3 with $room KiB"
    if ! lvcreate -s -n "$snap" -L "${room}k" "${lvcreate_arguments[@]}" "$group/$name"; then
        fail "the snapshot $group/$snap could not be made"
    fi
}

remove() { # NUMBER MINOR PATH
    local group name snap
    group=$(lv_field vg_name "$3") name=$(lv_field lv_name "$3")
    snap=${SNAP_NAME:-$name-before-resync}
    if [ -z "$name" ] || [ -z "$(lv_field lv_name "$group/$snap")" ]; then return; fi
    verbose "volume $1: removing the snapshot $group/$snap"
    lvremove -f "$group/$snap" || say err "the snapshot $group/$snap could not be removed; it is not needed any more"
}

lvcreate_arguments=("$@")
while read -r number minor path; do
    if [ -z "$path" ] || [ "$path" = none ]; then continue; fi
    # A stacked resource stands on a device of the lower one, which has the disk.
    case $path in
    /dev/drbd*) path=$(drbdadm sh-ll-dev "$(drbdadm -S sh-lr-of "$DRBD_RESOURCE")/$number" </dev/null) ;;
    esac
    case ${0##*/} in
    unsnapshot-*) remove "$number" "$minor" "$path" </dev/null ;;
    *) snapshot "$number" "$minor" "$path" </dev/null ;;
    esac
done < <(volume_paths)
exit 0

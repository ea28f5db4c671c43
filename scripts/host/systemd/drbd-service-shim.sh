#!/bin/bash
# drbd-service-shim.sh VERB [RESOURCE]: what the systemd units of DRBD do.

export PATH=${DRBD_PATH:-/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin}
root=${DRBD_ROOT:-}
left=$root/run/drbd/graceful-disconnect

verb=${1:-}
resource=${2:-}

needs_resource() {
    if [ -z "$resource" ]; then
        echo "$verb needs the name of a resource" >&2
        exit 1
    fi
}

# gone: the module has no such resource (any more).
gone() {
    [ "$(drbdsetup events2 --now "$resource" 2>/dev/null)" = "exists -" ]
}

# secondary OPTION...: a resource that is not there needs no demotion.
secondary() {
    local code
    drbdsetup secondary "$@" "$resource" && code=0 || code=$?
    if [ $code = 0 ] || gone; then return 0; fi
    return $code
}

# escalate: the unit's FailureAction reboots; what led to it should be in the log.
escalate() {
    local code=$1
    echo "DRBD resource $resource cannot be demoted; its devices are in use:" >&2
    drbdsetup status --verbose "$resource" >&2
    journalctl --flush 2>/dev/null
    sync
    exit "$code"
}

secondary_or_escalate() {
    secondary "$@" || escalate $?
}

# connections prints "RESOURCE PEER-ID" of all that are not StandAlone.
connections() {
    drbdsetup events2 --now |
        sed -n 's/^exists connection name:\([^ ]*\) peer-node-id:\([0-9]*\) .*connection:\([A-Za-z]*\).*/\1 \2 \3/p' |
        while read -r name peer state; do
            if [ "$state" != StandAlone ]; then echo "$name $peer"; fi
        done
}

graceful_disconnect() {
    local name peer
    mkdir -p "${left%/*}"
    connections >"$left.new" && mv "$left.new" "$left"
    while read -r name peer; do drbdsetup disconnect "$name" "$peer" </dev/null; done <"$left"
}

graceful_reconnect() {
    local name peer
    if [ ! -e "$left" ]; then return; fi
    while read -r name peer; do drbdsetup connect "$name" "$peer" </dev/null; done <"$left"
    rm -f "$left"
}

wait_promotable() {
    local line events
    exec 3< <(exec drbdsetup events2 "$resource")
    events=$!
    while read -r line <&3; do
        case " $line " in
        *" may_promote:yes "*)
            kill $events
            return 0
            ;;
        esac
    done
    echo "drbdsetup events2 $resource ended before the resource could be promoted" >&2
    return 1
}

# logical_volumes prints the backing devices of the form /dev/GROUP/VOLUME.
logical_volumes() {
    local path
    for path in $(drbdadm sh-ll-dev "$resource"); do
        case $path in
        /dev/mapper/* | /dev/disk/* | /dev/drbd/*) ;;
        /dev/*/*/*) ;;
        /dev/*/*) echo "$path" ;;
        esac
    done
}

lv_activate() {
    local path failed=0
    for path in $(logical_volumes); do
        if [ ! -e "$root$path" ]; then lvchange -ay "${path#/dev/}" || failed=1; fi
    done
    return $failed
}

lv_deactivate() {
    local path failed=0
    for path in $(logical_volumes); do
        if [ -e "$root$path" ]; then lvchange -an "${path#/dev/}" || failed=1; fi
    done
    return $failed
}

case $verb in
graceful-disconnect) graceful_disconnect ;;
graceful-reconnect) graceful_reconnect ;;
adjust | down | primary | secondary | secondary-force | secondary-secondary-force | secondary-or-escalate | \
    secondary-secondary-force-or-escalate | wait-promotable | lv-activate | lv-deactivate)
    needs_resource
    ;;&
adjust) drbdadm adjust "$resource" ;;
down) drbdsetup down "$resource" ;;
primary) drbdsetup primary "$resource" ;;
secondary) secondary ;;
secondary-force) secondary --force=yes ;;
secondary-secondary-force) secondary || secondary --force=yes ;;
secondary-or-escalate) secondary_or_escalate ;;
secondary-secondary-force-or-escalate) secondary || secondary_or_escalate --force=yes ;;
wait-promotable) wait_promotable ;;
lv-activate) lv_activate ;;
lv-deactivate) lv_deactivate ;;
*)
    echo "Unknown verb $verb" >&2
    exit 1
    ;;
esac

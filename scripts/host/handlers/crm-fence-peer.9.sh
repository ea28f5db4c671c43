#!/bin/bash
# crm-fence-peer.9.sh, crm-unfence-peer.9.sh, crm-fence-peer.sh,
# crm-unfence-peer.sh: one file under four names.
#
# fence-peer: writes into Pacemaker's configuration that only hosts with good
# data may have the Primary role. unfence-peer: takes that back.
#
# What tells who is who: DRBD_RESOURCE, UP_TO_DATE_NODES and DRBD_NODE_ID_<n> of
# DRBD 9; without them DRBD_PEER, where the only host with good data is this one.
#
# Exit codes of fence-peer:
#   4  the rule is there and the peer obeys it: treat its data as outdated
#   5  the rule is there and the peer cannot be reached
#   7  the rule is there and the peer was shot
#   1  there is no rule
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

timeout=90 dc_timeout=20 network_hickup=0 flock_timeout=120 lock_dir=/var/run/drbd/lock lock_file=
id_prefix=drbd-fence-by-handler fencing_attribute='#uname' role=Master master_id='' resource=${DRBD_RESOURCE:-}
quiet=no flock_required=no owner_match=no unreachable_is_outdated=no suicide=no

usage() {
    cat >&2 <<TEXT
usage: ${0##*/} [--resource RES] [--master-id ID] [--id-prefix PREFIX] [--role ROLE] [--fencing-attribute NAME]
  [--timeout SECONDS] [--dc-timeout SECONDS] [--network-hickup SECONDS] [--flock-timeout SECONDS] [--flock-required]
  [--lock-dir DIR] [--lock-file FILE] [--unfence-only-if-owner-match] [--unreachable-peer-is-outdated]
  [--suicide-on-failure-if-primary] [--logfacility FACILITY] [--quiet]
TEXT
    exit 1
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --quiet) quiet=yes; shift; continue ;;
        --flock-required) flock_required=yes; shift; continue ;;
        --unfence-only-if-owner-match) owner_match=yes; shift; continue ;;
        --unreachable-peer-is-outdated) unreachable_is_outdated=yes; shift; continue ;;
        --suicide-on-failure-if-primary) suicide=yes; shift; continue ;;
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
        esac
        [ $# -ge 2 ] || usage
        case $1 in
        --timeout) timeout=$2 ;;
        --dc-timeout) dc_timeout=$2 ;;
        --network-hickup) network_hickup=$2 ;;
        --flock-timeout) flock_timeout=$2 ;;
        --lock-dir) lock_dir=$2 ;;
        --lock-file) lock_file=$2 ;;
        --id-prefix) id_prefix=$2 ;;
        --fencing-attribute) fencing_attribute=$2 ;;
        --role) role=$2 ;;
        --master-id) master_id=$2 ;;
        --resource) resource=$2 ;;
        --logfacility) facility=$2 ;;
        *) usage ;;
        esac
        shift 2
    done
}

note() { if [ $quiet = no ]; then say notice "$*"; fi; }

failed() {
    say err "$*"
    if [ $suicide = yes ] && [ $mode = fence ] && drbdsetup role "$resource" 2>/dev/null | grep -q '^Primary'; then
        say emerg "$resource is Primary here and the peer could not be fenced: rebooting, as --suicide-on-failure-if-primary says"
        reboot -f
    fi
    exit 1
}

## The cluster's configuration, one tag per line.

read_cib() {
    local end=$((SECONDS + dc_timeout))
    until cib=$(cibadmin -Q 2>/dev/null) && [ -n "$cib" ]; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 1
    done
    cib=${cib//></>$'\n'<}
}

# attribute NAME: of the tags on standard input.
attribute() { sed -n "s/.*[[:space:]]$1=\"\([^\"]*\)\".*/\1/p"; }

quorum() { [ "$(grep '<cib ' <<<"$cib" | attribute have-quorum | head -n 1)" = 1 ]; }

stonith_enabled() {
    local value
    value=$(grep '<nvpair .*name="stonith-enabled"' <<<"$cib" | attribute value | tail -n 1)
    case ${value:-true} in false | no | off | 0) return 1 ;; esac
}

# find_master prints the id of the promotable clone of the DRBD resource.
find_master() {
    local line id='' match
    match="value=\"$resource\""
    while read -r line; do
        case $line in
        '<master '* | '<clone '*) id=$(attribute id <<<"$line") ;;
        '</master>'* | '</clone>'*) id='' ;;
        '<nvpair '*'name="drbd_resource"'*)
            if [[ $line == *"$match"* ]] && [ -n "$id" ]; then
                echo "$id"
                return
            fi
            ;;
        esac
    done <<<"$cib"
    return 1
}

# allowed prints the hosts that the rule names, if there is one.
allowed() {
    sed -n "/<rsc_location .*id=\"$rule_id\"/,/<\/rsc_location>/p" <<<"$cib" | grep '<expression ' | attribute value | sort
}

have_rule() { grep -q "<rsc_location .*id=\"$rule_id\"" <<<"$cib"; }

# peer_state NAME: online, offline (it left, or was shot), lost.
peer_state() {
    local tag member process expected
    tag=$(grep "<node_state .*uname=\"$1\"" <<<"$cib" | head -n 1)
    member=$(attribute in_ccm <<<"$tag") process=$(attribute crmd <<<"$tag") expected=$(attribute expected <<<"$tag")
    # Pacemaker 2.1.7 and later write times instead of words; 0 is "not a member".
    case $member in true | [1-9]*) member=yes ;; *) member=no ;; esac
    case $process in online | [1-9]*) process=yes ;; *) process=no ;; esac
    if [ $member = yes ] && [ $process = yes ]; then
        echo online
    elif [ "$expected" = member ]; then
        echo lost
    else
        echo offline
    fi
}

## Fencing.

me() { crm_node -n 2>/dev/null || uname -n; }

# good_hosts prints the hosts with good data, the peer never among them.
good_hosts() {
    local n name mask
    if [ -z "${UP_TO_DATE_NODES:-}" ]; then
        me
        return
    fi
    mask=$((UP_TO_DATE_NODES))
    for n in {0..31}; do
        name=DRBD_NODE_ID_$n
        name=${!name:-}
        if [ -z "$name" ] || [ "$n" = "${DRBD_PEER_NODE_ID:-}" ]; then continue; fi
        if [ "$n" = "${DRBD_MY_NODE_ID:-}" ]; then name=$(me); fi
        if [ $((mask >> n & 1)) = 1 ]; then echo "${name%% *}"; fi
    done | sort
}

peer_name() {
    local name=DRBD_NODE_ID_${DRBD_PEER_NODE_ID:-}
    name=${!name:-${DRBD_PEER:-}}
    echo "${name%% *}"
}

rule() { # HOST...
    local host
    printf '<rsc_location rsc="%s" id="%s">\n' "$master_id" "$rule_id"
    printf '<rule role="%s" score="-INFINITY" id="%s-rule-%s">\n' "$role" "$id_prefix-$resource" "$master_id"
    for host in "$@"; do
        printf '<expression attribute="%s" operation="ne" value="%s" id="%s-expr-%s-%s"/>\n' "$fencing_attribute" "$host" "$id_prefix-$resource" \
            "$host" "$master_id"
    done
    printf '</rule>\n</rsc_location>\n'
}

# place the rule, or make a rule that is there stricter.
place() {
    local wanted=("$@") have text
    text=$(rule "${wanted[@]}")
    if ! have_rule; then
        cibadmin -C -o constraints -X "$text" || failed "the rule $rule_id could not be written"
        note "only ${wanted[*]} may be Primary of $resource now (rule $rule_id)"
        return
    fi
    have=$(allowed)
    if ! grep -qxF -- "$(me)" <<<"$have"; then
        failed "the rule $rule_id of somebody else is there; by it only $(tr '\n' ' ' <<<"$have")may be Primary, not this host"
    fi
    if [ "$have" = "$(printf '%s\n' "${wanted[@]}")" ]; then
        note "the rule $rule_id is there already"
        return
    fi
    # Who was shut out by the rule stays out until it was unfenced.
    mapfile -t wanted < <(comm -12 <(printf '%s\n' "${wanted[@]}") <(printf '%s\n' "$have"))
    cibadmin -R -o constraints -X "$(rule "${wanted[@]}")" || failed "the rule $rule_id could not be changed"
    note "only ${wanted[*]} may be Primary of $resource now (rule $rule_id)"
}

fence() {
    local hosts peer state end
    mapfile -t hosts < <(good_hosts)
    if ! printf '%s\n' "${hosts[@]}" | grep -qxF -- "$(me)"; then
        failed "the data of $resource on this host is not good (UP_TO_DATE_NODES=${UP_TO_DATE_NODES:-}): the peer is not fenced"
    fi
    peer=$(peer_name)
    if [ -z "$peer" ]; then failed "neither DRBD_PEER_NODE_ID nor DRBD_PEER tells whom to fence"; fi
    if [ "$network_hickup" -gt 0 ]; then
        sleep "$network_hickup"
        read_cib || failed "the cluster manager does not answer within $dc_timeout seconds"
    fi
    quorum || failed "this part of the cluster has no quorum: $peer is not fenced"
    place "${hosts[@]}"
    end=$((SECONDS + timeout))
    while :; do
        state=$(peer_state "$peer")
        case $state in
        online)
            note "$peer runs and obeys the rule"
            exit 4
            ;;
        offline)
            if stonith_enabled; then
                note "$peer is down: it was shot, or left the cluster"
                exit 7
            fi
            note "$peer is down"
            exit 5
            ;;
        esac
        # Lost: with stonith it is going to be shot. Without, nobody knows what it does.
        if ! stonith_enabled; then
            if [ $unreachable_is_outdated = yes ] && [ -t 0 ]; then exit 4; fi
            note "$peer cannot be reached"
            exit 5
        fi
        if [ "$SECONDS" -ge "$end" ]; then failed "$peer was not shot within $timeout seconds"; fi
        sleep 1
        read_cib || failed "the cluster manager does not answer within $dc_timeout seconds"
    done
}

unfence() {
    if ! have_rule; then
        note "there is no rule $rule_id"
        exit 0
    fi
    if [ $owner_match = yes ] && ! allowed | grep -qxF -- "$(me)"; then
        note "the rule $rule_id is not about this host's data; it stays"
        exit 0
    fi
    cibadmin -D -o constraints -X "<rsc_location rsc=\"$master_id\" id=\"$rule_id\"/>" || failed "the rule $rule_id could not be removed"
    note "the rule $rule_id is removed"
    exit 0
}

lock() {
    if ! type flock >/dev/null 2>&1; then
        if [ $flock_required = yes ]; then failed "flock is not installed, but --flock-required was given"; fi
        return
    fi
    lock_file=${lock_file:-$root$lock_dir/fence.$resource}
    mkdir -p "${lock_file%/*}"
    exec 9>"$lock_file" || failed "cannot open the lock file $lock_file"
    flock -w "$flock_timeout" 9 || failed "another handler for $resource is still running after $flock_timeout seconds"
}

mode=fence
case ${0##*/} in *unfence*) mode=unfence ;; esac
# shellcheck disable=SC2086 # several arguments
read_options "$@" ${unfence_extra_args:-}
if [ -z "$resource" ]; then failed "neither DRBD_RESOURCE nor --resource tells which resource: this is called by drbdadm as a handler"; fi
lock
read_cib || failed "the cluster manager does not answer within $dc_timeout seconds"
if [ -z "$master_id" ] && ! master_id=$(find_master); then
    if [ $mode = unfence ]; then exit 0; fi
    failed "no promotable clone in the cluster has drbd_resource=$resource; --master-id can name it"
fi
rule_id=$id_prefix-$resource-$master_id
$mode

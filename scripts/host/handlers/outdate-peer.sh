#!/bin/bash
# outdate-peer.sh ADDRESS...: fence-peer handler that outdates the peer over
# other networks, by ssh. The addresses are tried one after the other.
#
# Exit codes: 3 the peer is inconsistent, 4 it is outdated now (or was), 5 it
# could not be reached, 6 it is Primary.
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

if [ -z "${DRBD_RESOURCE:-}" ]; then die 1 "DRBD_RESOURCE is not set: this is called by drbdadm as a handler"; fi
if [ $# = 0 ]; then die 1 "no address of the peer was given; write: fence-peer \"$0 ADDRESS\";"; fi
resource=$(printf %q "$DRBD_RESOURCE")
for address in "$@"; do
    ssh -o BatchMode=yes -o ConnectTimeout=5 "$address" "drbdadm outdate $resource"
    code=$?
    case $code in
    0) say notice "the data of $DRBD_RESOURCE on $address is outdated now"; exit 4 ;;
    5) say notice "the data of $DRBD_RESOURCE on $address is inconsistent"; exit 3 ;;
    17) say err "$address is Primary of $DRBD_RESOURCE"; exit 6 ;;
    255) say notice "$address cannot be reached by ssh" ;;
    *) say err "drbdadm outdate $DRBD_RESOURCE on $address ended with $code" ;;
    esac
done
die 5 "the peer of $DRBD_RESOURCE could not be outdated"

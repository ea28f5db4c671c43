#!/bin/bash
# stonith_admin-fence-peer.sh: fence-peer handler that has the cluster manager
# shoot the peer. Exit code 7: it was shot.
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

peer=${DRBD_PEER:-}
if [ -z "$peer" ] && [ -n "${DRBD_PEER_NODE_ID:-}" ]; then
    name=DRBD_NODE_ID_$DRBD_PEER_NODE_ID
    peer=${!name:-}
    peer=${peer%% *}
fi
if [ -z "$peer" ]; then die 1 "neither DRBD_PEER nor DRBD_PEER_NODE_ID tells whom to fence"; fi
if stonith_admin --fence "$peer" --tolerance 5s; then
    say notice "$peer was fenced"
    exit 7
fi
die 1 "$peer could not be fenced; I/O stays as the fencing policy says"

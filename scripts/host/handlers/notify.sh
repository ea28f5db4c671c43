#!/bin/bash
# notify.sh, and notify-EVENT.sh as links to it: [-l FACILITY] [RECIPIENT]
#
# Handler for any event: tells root, or whom the argument names, by mail and in
# the log. What is to be done besides (reboot, halt) stands behind it in the
# handler's line.

while getopts l: option; do
    case $option in
    l) facility=$OPTARG ;;
    *) exit 1 ;;
    esac
done
shift $((OPTIND - 1))
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

recipient=${1:-root}
if [ -z "${DRBD_RESOURCE:-}" ]; then die 1 "DRBD_RESOURCE is not set: this is called by drbdadm as a handler"; fi
host=$(uname -n)
where="resource $DRBD_RESOURCE on $host"
if [ -n "${DRBD_PEER:-}" ]; then where+=", peer $DRBD_PEER"; fi

case ${0##*/} in
notify-split-brain.sh)
    subject="DRBD split brain, $where"
    text="Both nodes have data that the other one does not have. DRBD has cut the connection and waits for a decision.
Choose the node whose changes are to be thrown away. There:
    drbdadm disconnect $DRBD_RESOURCE; drbdadm secondary $DRBD_RESOURCE; drbdadm connect --discard-my-data $DRBD_RESOURCE
On the other one, if it is StandAlone:
    drbdadm connect $DRBD_RESOURCE"
    ;;
notify-io-error.sh)
    subject="DRBD: disk error, $where"
    text="The backing disk ${DRBD_LL_DISK:-} (volume ${DRBD_VOLUME:-}, minor ${DRBD_MINOR:-}) had an I/O error. See the kernel's log; drbdadm status $DRBD_RESOURCE tells what is left."
    ;;
notify-pri-on-incon-degr.sh)
    subject="DRBD: Primary without good data, $where"
    text="This node is Primary, its data is not good and no peer with good data is connected."
    ;;
notify-pri-lost.sh)
    subject="DRBD: Primary must give up its data, $where"
    text="This node is Primary and is to become the target of a resync."
    ;;
notify-pri-lost-after-sb.sh)
    subject="DRBD: Primary lost after split brain, $where"
    text="After a split brain this node's data is to be replaced by the peer's, and it could not be demoted."
    ;;
notify-out-of-sync.sh)
    subject="DRBD: verify found differences, $where"
    text="An online verify found blocks that differ. They are marked; a disconnect and connect of the resource resyncs them."
    ;;
notify-emergency-reboot.sh)
    subject="DRBD: emergency reboot, $where"
    text="The handler of this event is about to reboot $host."
    ;;
notify-emergency-shutdown.sh)
    subject="DRBD: emergency shutdown, $where"
    text="The handler of this event is about to halt $host."
    ;;
notify-quorum-lost.sh)
    subject="DRBD: quorum lost, $where"
    text="This node is Primary and has no quorum any more."
    ;;
*)
    subject="DRBD event, $where"
    text="A handler of this resource was called."
    ;;
esac

say notice "$subject"
mail=
for program in mail mailx sendmail; do
    if mail=$(type -P $program || type -P "/usr/sbin/$program"); then break; fi
done
if [ -z "$mail" ]; then
    say warning "no mail to $recipient: none of mail, mailx, sendmail is installed"
    exit 0
fi
case $mail in
*sendmail) printf 'To: %s\nSubject: %s\n\n%s\n' "$recipient" "$subject" "$text" | "$mail" -t ;;
*) printf '%s\n' "$text" | "$mail" -s "$subject" "$recipient" ;;
esac || say warning "mail to $recipient failed"
exit 0

# Runs in the test machine: what is measured, and on what. Sourced with bash; each
# function prints its results as lines "result JOB VALUE".
#
# Two minors of this kernel replicate to each other over 127.0.0.1: both ends' cost
# is in every figure. Data is on memory-backed null_blk, metadata on brd.
set -euo pipefail

SIZE_MB=${SIZE_MB:-256}
DISK_NS=${DISK_NS:-0} # completion time of the disks; 0: at once, in soft interrupt
NET_US=${NET_US:-0}   # one-way delay of the wire
CACHE_MB=${CACHE_MB:-0} # volatile write cache of each disk
AL_EXTENTS=${AL_EXTENTS:-1237}
NET=${NET:-}   # more options of the section net, drbd.conf's words
DISK=${DISK:-} # and of the section disk
SPARSE=${SPARSE:-} # disks get their memory as they are written; nothing is resynced

disks() {
    modprobe null_blk nr_devices=0
    modprobe brd rd_nr=2 rd_size=16384
    mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
    local i d
    for i in 0 1; do
        d=/sys/kernel/config/nullb/disk$i
        mkdir "$d"
        echo "$SIZE_MB" >"$d/size"
        echo 512 >"$d/blocksize"
        echo 2 >"$d/queue_mode"
        echo 1 >"$d/memory_backed"
        if [ "$DISK_NS" -gt 0 ]; then
            echo 2 >"$d/irqmode"
            echo "$DISK_NS" >"$d/completion_nsec"
        else
            echo 1 >"$d/irqmode"
        fi
        if [ "$CACHE_MB" -gt 0 ]; then echo "$CACHE_MB" >"$d/cache_size"; fi
        echo 1 >"$d/power"
    done
    ip link set lo up
    if [ "$NET_US" -gt 0 ]; then
        modprobe sch_netem
        tc qdisc add dev lo root netem delay "${NET_US}us" limit 100000
    fi
    # every page of the disks exists before anything is measured
    if [ -n "$SPARSE" ]; then return; fi
    for i in 0 1; do dd if=/dev/zero of=/dev/$(disk $i) bs=1M oflag=direct status=none 2>/dev/null || true; done
}

# disk N: its name below /dev, which some kernels take from the folder, others count up
disk() {
    if [ -e /sys/block/disk"$1" ]; then echo disk"$1"; else sed 's/^/nullb/' /sys/kernel/config/nullb/disk"$1"/index; fi
}

no_disks() {
    local i
    for i in 0 1; do
        echo 0 >/sys/kernel/config/nullb/disk$i/power
        rmdir /sys/kernel/config/nullb/disk$i
    done
    modprobe -r null_blk brd
    tc qdisc del dev lo root 2>/dev/null || true
}

section= # what a job is part of

# job NAME DEVICE COUNT_OF_BYTES OPTIONS...: thousands of instructions per I/O.
job() {
    local name=$1 device=$2 bytes=$3
    shift 3
    local before after
    case ${ONLY:-$name} in "$name" | "$section/$name") ;; *) return ;; esac
    mark
    before=$(counters)
    fio --name=j --filename="$device" --direct=1 --norandommap --randrepeat=1 --randseed=7 --io_size="$bytes" --size="$((SIZE_MB / 2))M" \
        --group_reporting --output-format=json --output=/tmp/fio.json "$@" >/dev/null
    after=$(counters)
    mark
    echo "fio $name $(tr -d '\n' </tmp/fio.json)"
    echo "counters $name $before $after"
}

mark() { :; } # a profile puts its own in place

# context switches; packets over the loopback device; flushes of the first disk
counters() {
    awk '/^ctxt/ { printf "%s ", $2 }' /proc/stat
    awk '/lo:/ { printf "%s ", $3 }' /proc/net/dev
    awk '{ printf "%s", $16 }' "/sys/block/$(disk 0)/stat"
}

QUICK=${QUICK:-}
jobs_of() {
    local dev=$1
    job write-4k-d1 "$dev" "32M" --rw=randwrite --bs=4k --ioengine=psync
    job write-4k-d32 "$dev" "32M" --rw=randwrite --bs=4k --ioengine=libaio --iodepth=32
    if [ -n "$QUICK" ]; then return; fi
    job read-4k-d1 "$dev" 32M --rw=randread --bs=4k --ioengine=psync
    job read-4k-d32 "$dev" 32M --rw=randread --bs=4k --ioengine=libaio --iodepth=32
    job write-128k-d8 "$dev" 256M --rw=randwrite --bs=128k --ioengine=libaio --iodepth=8
    job write-1m-d4 "$dev" 512M --rw=randwrite --bs=1M --ioengine=libaio --iodepth=4
}

raw() { jobs_of "/dev/$(disk 0)"; }

# DRBD 8.4 has no node ids; ours makes them from addresses, which are equal here
node_id() { if [ "$flavour" != stock ]; then echo "node-id $1;"; fi; }

config() {
    local protocol=$1 i j
    mkdir -p /etc /var/lib/drbd /run/drbd /run/lock
    {
        echo "global { usage-count no; }"
        for i in 0 1; do
            j=$((1 - i))
            cat <<CONF
resource r$i {
  protocol $protocol;
  net { max-buffers 8000; sndbuf-size 0; $NET }
  disk { al-extents $AL_EXTENTS; c-plan-ahead 0; resync-rate 4000M; $DISK }
  on $(hostname) {
    device /dev/drbd$i minor $i; disk /dev/$(disk $i); flexible-meta-disk /dev/ram$i;
    address 127.0.0.1:700$((i + 1)); $(node_id $i)
  }
  on other$i {
    device /dev/drbd$i minor $i; disk /dev/$(disk $j); flexible-meta-disk /dev/ram$j;
    address 127.0.0.1:700$((j + 1)); $(node_id $j)
  }
}
CONF
        done
    } >/etc/drbd.conf
}

# field MINOR: cs:... ro:... ds:... of /proc/drbd
field() { awk -v m="$1:" '$1 == m { print $2, $3, $4 }' /proc/drbd; }

await() {
    local minor=$1 want=$2 i
    for i in $(seq 3000); do
        case $(field "$minor") in *$want*) return ;; esac
        sleep 0.02
    done
    echo "minor $minor did not come to $want; it is $(field "$minor")" >&2
    cat /proc/drbd >&2
    dmesg | tail -30 >&2
    return 1
}

seconds() { awk '{ print $1 }' /proc/uptime; }

# load FLAVOUR: its module, and its tools first in PATH. "eager": ours, with an epoch for
# each completion.
load() {
    if [ "$1" != stock ]; then
        modprobe -a libcrc32c
        insmod /root/ours/drbd.ko usermode_helper=/bin/true lazy_epochs="$([ "$1" = eager ] && echo 0 || echo 1)"
        PATH=/root/ours:$PATH
    else
        modprobe drbd usermode_helper=/bin/true
    fi
}

# drbd FLAVOUR PROTOCOL...: the module is loaded, measured with each protocol, and removed.
drbd() {
    local protocol begin first=1
    flavour=$1
    load "$1"
    shift
    for protocol in "$@"; do
        config "$protocol"
        drbdadm -- --force create-md all >&2
        drbdadm up all
        await 0 cs:Connected
        if [ -n "$SPARSE" ]; then drbdadm -- --clear-bitmap new-current-uuid r0; fi
        begin=$(seconds)
        drbdadm primary --force r0 2>/dev/null || drbdadm -- --overwrite-data-of-peer primary r0
        await 1 "ds:UpToDate/UpToDate"
        if [ "$first$SPARSE" = 1 ]; then echo "resync $begin $(seconds) $SIZE_MB"; fi
        first=0
        echo "state $protocol $(field 0)"
        section=$protocol
        echo "section $section"
        jobs_of /dev/drbd0
        drbdadm secondary r0
        drbdadm down all
    done
    if [ -z "$QUICK$SPARSE" ]; then
        section=disconnected
        echo "section $section"
        drbdadm up r0
        drbdadm disconnect r0 || true
        drbdadm primary --force r0 2>/dev/null || drbdadm -- --overwrite-data-of-peer primary r0
        job write-4k-d1 /dev/drbd0 32M --rw=randwrite --bs=4k --ioengine=psync
        job write-4k-d32 /dev/drbd0 32M --rw=randwrite --bs=4k --ioengine=libaio --iodepth=32
        drbdadm secondary r0
        drbdadm down r0
    fi
    rmmod drbd
}

# An md mirror of the first disk and one that comes over the network.
mirror() {
    modprobe raid1
    mdadm --create /dev/md0 --quiet --run --assume-clean --level=1 --bitmap=none --metadata=1.2 --raid-devices=2 "/dev/$(disk 0)" "$1"
    jobs_of /dev/md0
    mdadm --quiet --stop /dev/md0
}

md-nbd() {
    modprobe nbd nbds_max=1
    mkdir -p /etc/nbd-server
    printf '[generic]\n[mirror]\n exportname = /dev/%s\n flush = true\n fua = true\n' "$(disk 1)" >/etc/nbd-server/config
    nbd-server -C /etc/nbd-server/config
    nbd-client -N mirror 127.0.0.1 /dev/nbd0 >/dev/null 2>&1
    mirror /dev/nbd0
    nbd-client -d /dev/nbd0 >/dev/null
    pkill nbd-server
    sleep 0.5
}

md-nvme() {
    modprobe -a nvmet-tcp nvme-tcp
    local t=/sys/kernel/config/nvmet
    mkdir $t/subsystems/mirror $t/subsystems/mirror/namespaces/1 $t/ports/1
    echo 1 >$t/subsystems/mirror/attr_allow_any_host
    echo "/dev/$(disk 1)" >$t/subsystems/mirror/namespaces/1/device_path
    echo 1 >$t/subsystems/mirror/namespaces/1/enable
    echo tcp >$t/ports/1/addr_trtype
    echo ipv4 >$t/ports/1/addr_adrfam
    echo 127.0.0.1 >$t/ports/1/addr_traddr
    echo 4420 >$t/ports/1/addr_trsvcid
    ln -s $t/subsystems/mirror $t/ports/1/subsystems/mirror
    echo transport=tcp,traddr=127.0.0.1,trsvcid=4420,nqn=mirror >/dev/nvme-fabrics
    local i
    for i in $(seq 100); do
        if [ -b /dev/nvme0n1 ]; then break; fi
        sleep 0.1
    done
    mirror /dev/nvme0n1
    echo 1 >/sys/class/nvme/nvme0/delete_controller
    rm $t/ports/1/subsystems/mirror
    rmdir $t/ports/1 $t/subsystems/mirror/namespaces/1 $t/subsystems/mirror
}

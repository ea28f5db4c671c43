# Runs in the test machine, behind guest.sh: what grows with the number of volumes, and
# with the size of a device. Each measurement is a line "scale WHAT VALUE".

scale() { echo "scale $*"; }

# cards N MB: disks disk0, disk1, ... disk$((2N-1)) that get their memory as they are written.
cards() {
    local i d
    modprobe null_blk nr_devices=0
    mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
    for ((i = 0; i < 2 * $1; i++)); do
        d=/sys/kernel/config/nullb/disk$i
        mkdir "$d"
        echo "$2" >"$d/size"
        echo 512 >"$d/blocksize"
        echo 2 >"$d/queue_mode"
        echo 1 >"$d/memory_backed"
        echo 1 >"$d/irqmode"
        echo 1 >"$d/power"
    done
    ip link set lo up
}

no_cards() {
    local d
    for d in /sys/kernel/config/nullb/disk*; do
        echo 0 >"$d/power"
        rmdir "$d"
    done
    modprobe -r null_blk
}

# volumes N: a pair of resources with N volumes each, internal metadata.
volumes_config() {
    local n=$1 i j v
    mkdir -p /var/lib/drbd /run/drbd /run/lock
    {
        echo "global { usage-count no; }"
        for i in 0 1; do
            j=$((1 - i))
            echo "resource r$i { protocol C; net { max-buffers 8000; }"
            echo "  disk { al-extents 67; c-plan-ahead 0; resync-rate 4000M; }"
            for side in "$(hostname) $i" "other$i $j"; do
                set -- $side
                echo "  on $1 { address 127.0.0.1:700$(($2 + 1)); $(node_id $(($2 == i ? i : j)))"
                for ((v = 0; v < n; v++)); do
                    echo "    volume $v { device minor $((v * 2 + i)); disk /dev/$(disk $((v * 2 + $2))); meta-disk internal; }"
                done
                echo "  }"
            done
            echo "}"
        done
    } >/etc/drbd.conf
}

free_kb() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
    awk '/^MemAvailable/ { print $2 }' /proc/meminfo
}

ctxt() { awk '/^ctxt/ { print $2 }' /proc/stat; }
packets() { awk '/lo:/ { print $3 }' /proc/net/dev; }

await_all() {
    local n=$1 want=$2 i
    for i in $(seq 1500); do
        if [ "$(grep -c "$want" /proc/drbd)" -ge "$n" ]; then return; fi
        sleep 0.02
    done
    echo "not all $n volumes came to $want" >&2
    head -30 /proc/drbd >&2
    return 1
}

# volumes FLAVOUR N: up, in memory and idle, then written to.
volumes() {
    local n=$2 begin before idle files v
    flavour=$1
    cards "$n" 8
    load "$flavour"
    volumes_config "$n"
    drbdadm -- --force create-md all >/dev/null 2>&1
    before=$(free_kb)
    begin=$(seconds)
    drbdadm up all
    await_all $((2 * n)) "cs:Connected"
    for ((v = 0; v < n; v++)); do drbdadm -- --clear-bitmap new-current-uuid r0/$v; done
    await_all $((2 * n)) "ds:UpToDate/UpToDate"
    scale "$n up-seconds $(awk -v a="$begin" -v b="$(seconds)" 'BEGIN { print b - a }')"
    scale "$n kb-each $(((before - $(free_kb)) / (2 * n)))"
    idle="$(ctxt) $(packets)"
    sleep 20
    set -- $idle
    scale "$n idle-switches $(awk -v n="$(($(ctxt) - $1))" 'BEGIN { print n / 20 }')"
    scale "$n idle-packets $(awk -v n="$(($(packets) - $2))" 'BEGIN { print n / 20 }')"
    drbdadm primary r0
    files=
    for ((v = 0; v < n && v < 100; v++)); do files=$files:/dev/drbd$((v * 2)); done
    SIZE_MB=8
    fio --name=j --filename="${files#:}" --direct=1 --norandommap --randrepeat=1 --randseed=7 --io_size=16M --size=$((n < 100 ? n : 100))0M \
        --filesize=4M --rw=randwrite --bs=4k --ioengine=libaio --iodepth=32 --file_service_type=roundrobin \
        --output-format=json --output=/tmp/fio.json >/dev/null
    echo "busy $n $(tr -d '\n' </tmp/fio.json)"
    drbdadm down all
    rmmod drbd
    no_cards
}

# huge FLAVOUR: a pair of 16 TiB.
huge() {
    local begin md
    flavour=$1
    cards 1 16777216
    modprobe brd rd_nr=2 rd_size=1048576
    load "$flavour"
    config C
    timed() { begin=$(seconds); md=$1; shift; "$@" >/dev/null; scale "$md $(awk -v a="$begin" -v b="$(seconds)" 'BEGIN { print b - a }')"; }
    drbdadm -- --force create-md all >/dev/null
    timed attach-seconds drbdadm up r0
    drbdadm up r1
    await 0 cs:Connected
    timed clear-bitmap-seconds drbdadm -- --clear-bitmap new-current-uuid r0
    drbdadm primary r0
    drbdadm disconnect r1
    await 0 cs:WFConnection
    dd if=/dev/zero of=/dev/drbd0 bs=4k count=1 seek=3000000000 oflag=direct status=none
    begin=$(seconds)
    drbdadm connect r1
    await 0 "ds:UpToDate/UpToDate"
    scale "resync-of-a-block-seconds $(awk -v a="$begin" -v b="$(seconds)" 'BEGIN { print b - a }')"
    drbdadm down all
    rmmod drbd
    modprobe -r brd
    no_cards
}

#!/bin/sh
# Everything between the kernel and the engine. Each step reports itself on the console:
#   slipway-step: NAME ok MS      or      slipway-step: NAME fail MS REASON
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=/usr/libexec/slipway
data=/var/lib/slipway
ports="h2 ctl"

# Milliseconds since the kernel started: /proc/uptime has hundredths, whose leading zero would make them octal.
now() { read -r up _ < /proc/uptime; echo $((${up%.*} * 1000 + (1${up#*.} - 100) * 10)); }
step() {
  name=$1; began=$(now); shift
  if reason=$("$@" 2>&1); then
    echo "slipway-step: $name ok $(($(now) - began))" > /dev/console
  else
    echo "slipway-step: $name fail $(($(now) - began)) $(echo "$reason" | tail -n 1)" > /dev/console
    return 1
  fi
}

kernel_files() {
  mount -t proc proc /proc && mount -t sysfs sysfs /sys
  mkdir -p /dev/pts /dev/shm /dev/mqueue
  mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
  mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
  mount -t mqueue mqueue /dev/mqueue
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=1777 tmpfs /tmp
  mount -t tmpfs -o mode=755 tmpfs /var
  mount -t tmpfs -o mode=755 tmpfs /host
  mount -t tmpfs -o mode=700 tmpfs /root
  mkdir -p /var/lib /var/tmp /var/log "$data" && chmod 1777 /var/tmp && ln -s /run /var/run
  ln -s /proc/self/fd /dev/fd && ln -s fd/0 /dev/stdin && ln -s fd/1 /dev/stdout && ln -s fd/2 /dev/stderr
  hostname slipway
  ip link set lo up
}

modules() {
  modprobe -a $(cat $here/modules-early)
  # Netfilter and rarer things come while the engine starts.
  $here/late.sh < /dev/null > /dev/null 2>&1 &
  mkdir -p /dev/virtio-ports
  tries=0
  until linked; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "the host gave no virtio-serial ports named $ports"; return 1; }
    usleep 50000
  done
}

linked() {
  for port in /sys/class/virtio-ports/*; do
    [ -s "$port/name" ] && ln -sf "/dev/${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
  done
  for name in $ports; do [ -e "/dev/virtio-ports/$name" ] || return 1; done
}

clock() { [ ! -e /dev/rtc0 ] || hwclock -s -u; }

control_groups() {
  mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
  # The engine lives in a group of its own; containers get every controller there is.
  mkdir -p /sys/fs/cgroup/slipway-engine
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
}

# QEMU's user network, which always looks like this.
network() {
  : > /var/lib/resolv.conf
  [ -e /sys/class/net/eth0 ] || return 0
  ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2
  echo 'nameserver 10.0.2.3' > /var/lib/resolv.conf
}

find_disk() {
  for disk in /sys/block/vd*; do
    [ "$(cat "$disk/serial" 2> /dev/null)" = "$1" ] && { echo "/dev/${disk##*/}"; return 0; }
  done
  return 1
}

mount_data() { mount -t xfs -o prjquota,discard,noatime "$1" "$data"; }

data_disk() {
  device=$(find_disk slipway-data) || { echo "the machine has no disk with the serial slipway-data"; return 1; }
  if [ "$(dd if="$device" bs=4 count=1 2> /dev/null | tr -d '\0')" != XFSB ]; then
    # Never over something we do not know: only a disk that begins with zeroes is ours to format.
    [ "$(dd if="$device" bs=64k count=16 2> /dev/null | tr -d '\0' | wc -c)" = 0 ] || { echo "$device holds something that is not XFS: it is left alone"; return 1; }
    mkfs.xfs -q -K -m reflink=1 -L slipway "$device" || return 1
  fi
  mount_data "$device" || { echo "$device does not mount: $(dmesg | grep XFS | tail -n 1)"; return 1; }
}

# The log is given up (-L) only when nothing else helps; what xfs_repair said stays on the disk.
repair() {
  device=$(find_disk slipway-data) || return 1
  xfs_repair "$device" > /run/xfs_repair.log 2>&1 || xfs_repair -L "$device" >> /run/xfs_repair.log 2>&1 || { tail -n 1 /run/xfs_repair.log; return 1; }
  mount_data "$device" || { echo "$device does not mount even after xfs_repair"; return 1; }
  cp /run/xfs_repair.log "$data/xfs_repair.log"
}

grow() { xfs_growfs "$data" > /dev/null; }

# slipway.share=TAG:TYPE:PATH, PATH percent-encoded (runtime-vm/link/boot.ts).
shares() {
  failed=
  for word in $(cat /proc/cmdline); do
    case $word in slipway.share=*) ;; *) continue ;; esac
    value=${word#slipway.share=}
    tag=${value%%:*}; rest=${value#*:}; type=${rest%%:*}
    path=$(printf '%b' "$(echo "${rest#*:}" | sed 's/\\/\\\\/g; s/%\([0-9A-Fa-f][0-9A-Fa-f]\)/\\x\1/g')")
    mkdir -p "/host$path"
    case $type in
      virtiofs) mount -t virtiofs "$tag" "/host$path" ;;
      9p) mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=mmap "$tag" "/host$path" ;;
      *) false ;;
    esac || failed="$failed $path"
  done
  [ -z "$failed" ] || { echo "these shared folders do not mount:$failed"; return 1; }
}

kernel_files
step modules modules
step clock clock
step cgroups control_groups
step network network
step disk data_disk || step repair repair || { sync; sleep 1; poweroff -f; }
step grow grow
step shares shares
# Bundles, FIFOs and namespaces do not outlive a boot.
mkdir -p "$data/run" && mount -t tmpfs -o mode=711 tmpfs "$data/run"

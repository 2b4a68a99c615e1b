#!/bin/sh
# Everything between the kernel and the engine. Each step reports itself on the console:
#   slipway-step: NAME ok MS      or      slipway-step: NAME fail MS REASON
PATH=/usr/sbin:/usr/bin:/sbin:/bin
lib=/usr/lib/slipway
data=/var/lib/slipway

now() { read -r up _ < /proc/uptime; echo "${up%.*}${up#*.}0"; }
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
  mkdir -p /var/lib /var/tmp /var/log "$data" && ln -s /run /var/run
  mount -t tmpfs -o mode=755 tmpfs /host
  hostname slipway
  ip link set lo up
}

modules() {
  modprobe -a $(cat $lib/modules-early) || true
  # Netfilter and rarer file systems come while Node starts.
  (modprobe -a $(cat $lib/modules-late) 2>/dev/null; echo 1 > /proc/sys/net/ipv4/ip_forward) &
  mkdir -p /dev/virtio-ports
  for port in /sys/class/virtio-ports/*; do
    [ -e "$port/name" ] && ln -sf "/dev/${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
  done
}

data_disk() {
  for disk in /sys/block/vd*; do
    [ "$(cat "$disk/serial" 2>/dev/null)" = slipway-data ] && device=/dev/${disk##*/}
  done
  [ -n "$device" ] || { echo "no disk with the serial slipway-data"; return 1; }
  if [ "$(dd if="$device" bs=4 count=1 2>/dev/null)" != XFSB ]; then
    # Never over something we do not know: only a disk that begins with zeroes is ours to format.
    [ -z "$(dd if="$device" bs=64k count=1 2>/dev/null | tr -d '\0' | head -c 1)" ] || { echo "$device holds something that is not XFS: it is left alone"; return 1; }
    mkfs.xfs -q -m reflink=1 -L slipway "$device" || return 1
  fi
  if ! mount -t xfs -o prjquota,discard,noatime "$device" "$data"; then
    xfs_repair "$device" > /run/xfs_repair.log 2>&1 || xfs_repair -L "$device" >> /run/xfs_repair.log 2>&1
    mount -t xfs -o prjquota,discard,noatime "$device" "$data" || { echo "$device does not mount, even after xfs_repair"; return 1; }
  fi
}

grow() { xfs_growfs "$data" > /dev/null; }

shares() {
  for word in $(cat /proc/cmdline); do
    case $word in slipway.share=*) ;; *) continue ;; esac
    value=${word#slipway.share=}
    tag=${value%%:*}; rest=${value#*:}; type=${rest%%:*}
    path=$(printf '%b' "$(echo "${rest#*:}" | sed 's/%\([0-9A-Fa-f][0-9A-Fa-f]\)/\\x\1/g')")
    mkdir -p "/host$path"
    case $type in
      virtiofs) mount -t virtiofs "$tag" "/host$path" ;;
      9p) mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=mmap "$tag" "/host$path" ;;
    esac || { echo "the share $tag does not mount at /host$path"; return 1; }
  done
}

network() {
  [ -e /sys/class/net/eth0 ] || return 0
  ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2
  echo 'nameserver 10.0.2.3' > /run/resolv.conf
}

control_groups() {
  mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
  # The engine lives in a group of its own, so that the root may delegate every controller.
  mkdir -p /sys/fs/cgroup/slipway-engine
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true; done
}

kernel_files
step modules modules
step clock hwclock -s -u
step cgroups control_groups
step network network
step disk data_disk || { sleep 1; poweroff -f; }
step grow grow
step shares shares
# Bundles, FIFOs and namespaces do not outlive a boot.
mkdir -p "$data/run" && mount -t tmpfs -o mode=711 tmpfs "$data/run"

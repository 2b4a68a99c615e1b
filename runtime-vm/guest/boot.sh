#!/bin/sh
# Everything between the kernel and the engine. Each step reports itself on the console:
#   slipway-step: NAME ok MS      or      slipway-step: NAME fail MS REASON
# Without hardware virtualisation each process started costs a noticeable part of a boot: what the shell can do itself
# (reading and writing files) it does itself.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=/usr/libexec/slipway
data=/var/lib/slipway
ports="h2 ctl"

# Sets `ms`, milliseconds since the kernel started: /proc/uptime has hundredths, whose leading zero would make them octal.
now() { read -r up _ < /proc/uptime; ms=$((${up%.*} * 1000 + (1${up#*.} - 100) * 10)); }
step() {
  step=$1; shift
  now; began=$ms
  if "$@" > /run/step.log 2>&1; then
    now; echo "slipway-step: $step ok $((ms - began))" > /dev/console
  else
    now; echo "slipway-step: $step fail $((ms - began)) $(tail -n 1 /run/step.log)" > /dev/console
    return 1
  fi
}

# Everything of /etc/fstab, in one go.
kernel_files() {
  mkdir -p /dev/pts /dev/shm /dev/mqueue
  mount -a
  # As on any host with systemd: what is mounted below a shared folder in a container may be seen outside, if it asks for that.
  mount --make-rshared /
  mkdir -p "$data" /var/tmp /var/log /var/run/netns
  echo slipway > /proc/sys/kernel/hostname
}

modules() {
  modules=
  while read -r module; do modules="$modules $module"; done < $here/modules-early
  modprobe -a $modules
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
    name=
    [ -e "$port/name" ] && read -r name < "$port/name"
    [ -z "$name" ] || [ -e "/dev/virtio-ports/$name" ] || ln -s "/dev/${port##*/}" "/dev/virtio-ports/$name"
  done
  for name in $ports; do [ -e "/dev/virtio-ports/$name" ] || return 1; done
}

# slipway.config: the engine's daemon.json comes in by QEMU's firmware configuration (runtime-vm/link/boot.ts).
config() {
  : > /run/daemon.json
  read -r words < /proc/cmdline
  case " $words " in *" slipway.config "*) ;; *) return 0 ;; esac
  modprobe qemu_fw_cfg && cat /sys/firmware/qemu_fw_cfg/by_name/opt/slipway/daemon.json/raw > /run/daemon.json
}

clock() { [ ! -e /dev/rtc0 ] || hwclock -s -u; }

# The engine lives in a group of its own; containers get every controller there is.
control_groups() {
  mkdir -p /sys/fs/cgroup/slipway-engine
  read -r controllers < /sys/fs/cgroup/cgroup.controllers
  for controller in $controllers; do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
}

# QEMU's user network, which always looks like this.
network() {
  ifconfig lo 127.0.0.1 up
  : > /var/lib/resolv.conf
  [ -e /sys/class/net/eth0 ] || return 0
  ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && route add default gw 10.0.2.2
  echo 'nameserver 10.0.2.3' > /var/lib/resolv.conf
}

# Sets `device` and `sectors` of the disk with a serial.
find_disk() {
  for disk in /sys/block/vd*; do
    serial=
    read -r serial < "$disk/serial"
    [ "$serial" = "$1" ] || continue
    device=/dev/${disk##*/}
    read -r sectors < "$disk/size"
    return 0
  done
  echo "the machine has no disk with the serial $1"
  return 1
}

mount_data() { mount -t xfs -o prjquota,discard,noatime "$device" "$data"; }

data_disk() {
  find_disk slipway-data || return 1
  magic=
  read -r -n 4 magic < "$device"
  if [ "$magic" != XFSB ]; then
    # Never over something we do not know: only a disk that begins with zeroes is ours to format.
    [ "$(dd if="$device" bs=64k count=16 2> /dev/null | tr -d '\0' | wc -c)" = 0 ] || { echo "$device holds something that is not XFS: it is left alone"; return 1; }
    mkfs.xfs -q -K -m reflink=1 -L slipway "$device" || return 1
  fi
  mount_data || { echo "$device does not mount: $(dmesg | grep XFS | tail -n 1)"; return 1; }
}

# The log is given up (-L) only when nothing else helps; what xfs_repair said stays on the disk.
repair() {
  find_disk slipway-data || return 1
  xfs_repair "$device" > /run/xfs_repair.log 2>&1 || xfs_repair -L "$device" >> /run/xfs_repair.log 2>&1 || { tail -n 1 /run/xfs_repair.log; return 1; }
  mount_data || { echo "$device does not mount even after xfs_repair"; return 1; }
  cp /run/xfs_repair.log "$data/xfs_repair.log"
}

# The file system follows a disk that was enlarged.
grow() {
  known=
  [ ! -e "$data/disk.sectors" ] || read -r known < "$data/disk.sectors"
  [ "$known" = "$sectors" ] || { xfs_growfs "$data" && echo "$sectors" > "$data/disk.sectors"; }
}

# slipway.share=TAG:TYPE:PATH, PATH percent-encoded (runtime-vm/link/boot.ts). What the host serves is mounted aside; programs see it
# through FUSE, whose server (guest/shares) starts beside the engine: who comes before it waits.
shares() {
  failed= served= options=
  read -r words < /proc/cmdline
  for word in $words; do
    case $word in
      slipway.owners) options=--owners; continue ;;
      slipway.share=*) ;;
      *) continue ;;
    esac
    value=${word#slipway.share=}
    tag=${value%%:*}; rest=${value#*:}; type=${rest%%:*}
    path=$(printf '%b' "$(echo "${rest#*:}" | sed 's/\\/\\\\/g; s/%\([0-9A-Fa-f][0-9A-Fa-f]\)/\\x\1/g')")
    mkdir -p "/host$path" "/run/shares/$tag"
    case $type in
      virtiofs) mount -t virtiofs "$tag" "/run/shares/$tag" ;;
      9p) mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=mmap "$tag" "/run/shares/$tag" ;;
      *) false ;;
    esac || failed="$failed $path"
    # A line a share. A folder may have any character but that in its name.
    served="$served
$tag:/host$path"
  done
  [ -z "$failed" ] || { echo "these shared folders do not mount:$failed"; return 1; }
  [ -z "$served" ] || serve_shares "${served#?}"
}

# Until the machine stops. With their server, shares end for the programs that have them; those that start afterwards have them anew.
serve_shares() {
  IFS='
'
  set -f -- $1
  unset IFS
  set +f
  open_shares "$@" || return 1
  (
    echo -900 > /proc/self/oom_score_adj
    ulimit -n 1048576
    pause=1
    until serve_opened "$@"; do
      until reopen_shares "$@"; do :; done
    done < /dev/null > /dev/console 2>&1
  ) &
  close_descriptors "$@"
}

# The shell keeps its own descriptors from 10 on.
open_shares() {
  descriptor=100
  for share in "$@"; do
    eval "exec $descriptor<>/dev/fuse" &&
      mount -t fuse.share -o "fd=$descriptor,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions" "${share%%:*}" "${share#*:}" ||
      { echo "the shared folder ${share#*:} does not mount"; return 1; }
    descriptor=$((descriptor + 1))
  done
}

# An open one keeps its share: who comes to it waits.
close_descriptors() {
  descriptor=100
  for share in "$@"; do
    eval "exec $descriptor<&-"
    descriptor=$((descriptor + 1))
  done
}

# Less and less often, where it never lasts. Over those that ended: at no time is there an empty folder for somebody to write into.
reopen_shares() {
  close_descriptors "$@"
  sleep $pause
  [ $pause -ge 60 ] || pause=$((pause * 2))
  open_shares "$@"
}

serve_opened() {
  descriptor=100
  for share in "$@"; do
    shift
    set -- "$@" "$descriptor:/run/shares/${share%%:*}:${share#*:}"
    descriptor=$((descriptor + 1))
  done
  NODE_NO_WARNINGS=1 node --max-semi-space-size=1 --v8-pool-size=1 /usr/lib/slipway/shares.mjs $options --socket /run/slipway-shares.sock "$@"
}

# Linux may have started on one processor only (machine/drivers/qemu/command.ts says why).
processors() { for cpu in /sys/devices/system/cpu/cpu[1-9]*; do [ ! -e "$cpu/online" ] || echo 1 > "$cpu/online"; done; }

kernel_files
processors
step modules modules
step config config
step clock clock
step cgroups control_groups
step network network
# Setting a terminal waits until all is out that was written to it.
step disk data_disk || step repair repair || { busybox stty -echo < /dev/console; poweroff -f; }
step grow grow
step shares shares
# Bundles, FIFOs and namespaces do not outlive a boot.
mkdir -p "$data/run" && mount -t tmpfs -o mode=711 tmpfs "$data/run"
# What the engine's start does not need comes once it answers.
$here/late.sh < /dev/null > /dev/null 2>&1 &

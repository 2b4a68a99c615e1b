#!/bin/sh
# The native launcher: gives the engine a mount namespace whose root is the tool tree, kept alive by a pin, so that the
# mounts, namespaces and FIFOs of running containers survive the engine. Called by electron/launch/engine.mjs as root:
#   native.sh TREE ROOT SOCKET ISOLATE COMMAND...      (ISOLATE empty: the host's own network and control groups)
# It becomes COMMAND in the end; `cleanup` as COMMAND takes everything down when no process is left inside.
set -eu
tree=$1 root=$2 socket=$3 isolate=$4
shift 4
pin=$root/run/pin
self=$(readlink -f "$0")

# Second half, inside the new mount namespace: build the root, step into it.
build() {
  new=$pin/root
  mount --make-rprivate /
  mount -t tmpfs -o mode=755 tmpfs "$new"
  mkdir -p "$new/usr" "$new/etc" "$new/host" "$new/proc" "$new/dev" "$new/sys" "$new/run" "$new/tmp" "$new/var/tmp" "$new/root" "$new/mnt"
  for name in bin sbin lib lib64; do [ -e "$tree/$name" ] && ln -s "usr/$name" "$new/$name"; done
  for name in usr etc; do
    mount --bind "$tree/$name" "$new/$name"
    mount -o remount,bind,ro "$new/$name"
  done
  for name in proc dev sys; do mount --rbind "/$name" "$new/$name"; done
  mount -t tmpfs -o mode=755 tmpfs "$new/run"
  mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
  if [ -n "$isolate" ]; then
    # A pure control group tree, whatever the host mixes; the host's own mounts stay as they are.
    umount -l "$new/sys/fs/cgroup"
    mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
  fi
  mkdir -p "$new$root"
  mount --rbind "$root" "$new$root"
  cd "$new"
  pivot_root . host
  cd /
  mount --make-rslave /host
}

# Every start, inside: what may differ from the last one.
enter() {
  directory=${socket%/*}
  case $socket in
    "$root"/*) ;;
    *)
      mkdir -p "$directory"
      [ "$(stat -c %d:%i "$directory")" = "$(stat -c %d:%i "/host$directory")" ] || mount --bind "/host$directory" "$directory"
      ;;
  esac
  cat /host/etc/resolv.conf > /run/resolv.conf 2>/dev/null || : > /run/resolv.conf
  cd /
  exec "$@"
}

# A network namespace as `ip netns` shows it, with an uplink whose far end stays here. No rule of this host is touched.
network() {
  [ -e "/run/netns/$isolate" ] && return 0
  number=$(($(printf %s "$isolate" | cksum | cut -d' ' -f1) % 4000))
  net=10.$((194 + number / 1000)).$((number % 250))
  ip netns add "$isolate"
  : > "$root/run/made-netns"
  ip -n "$isolate" link set lo up
  ip link add eth0 netns "$isolate" type veth peer name "sl$number"
  ip addr add "$net.1/24" dev "sl$number"
  ip link set "sl$number" up
  ip -n "$isolate" addr add "$net.2/24" dev eth0
  ip -n "$isolate" link set eth0 up
  ip -n "$isolate" route add default via "$net.1"
}

case ${1:-} in
  @build)
    shift
    build
    enter "$@"
    ;;
  @enter)
    shift
    enter "$@"
    ;;
  cleanup)
    [ -e "$pin/mnt" ] || exit 0
    inside=$(stat -Lc %i "$pin/mnt" 2>/dev/null || echo none)
    for process in /proc/[0-9]*; do
      [ "$(stat -Lc %i "$process/ns/mnt" 2>/dev/null)" = "$inside" ] && exit 0
    done
    umount "$pin/mnt" 2>/dev/null || true
    umount "$pin" 2>/dev/null || true
    rm -rf "$pin"
    if [ -n "$isolate" ] && [ -e "$root/run/made-netns" ]; then
      ip netns del "$isolate" 2>/dev/null || true
      rm -f "$root/run/made-netns"
    fi
    ;;
  *)
    umask 022
    mkdir -p "$pin" "${socket%/*}"
    net=
    if [ -n "$isolate" ]; then
      network
      net=--net=/run/netns/$isolate
    fi
    if mountpoint -q "$pin/mnt"; then
      # shellcheck disable=SC2086
      exec nsenter --mount="$pin/mnt" $net /usr/bin/sh "/host$self" "$tree" "$root" "$socket" "$isolate" @enter "$@"
    fi
    # A namespace file can only be pinned on a private mount outside of it.
    mountpoint -q "$pin" || { mount --bind "$pin" "$pin"; mount --make-private "$pin"; }
    : > "$pin/mnt"
    mkdir -p "$pin/root"
    if [ -n "$net" ]; then
      exec nsenter "$net" unshare --mount="$pin/mnt" --propagation private sh "$self" "$tree" "$root" "$socket" "$isolate" @build "$@"
    fi
    exec unshare --mount="$pin/mnt" --propagation private sh "$self" "$tree" "$root" "$socket" "$isolate" @build "$@"
    ;;
esac

#!/bin/sh
# The native launcher: runs the engine in a mount namespace whose root is the tool tree. The namespace is pinned below /run, by
# the engine's root directory, so that mounts, namespace files and FIFOs of running containers survive the engine; a later start
# joins it; when the engine ends and nothing lives inside, it goes. Called as root by electron/launch/engine.mjs:
#   native.sh start TREE BUNDLE ROOT SOCKET ISOLATE [ENGINE OPTION...]
# BUNDLE: the engine's directory. ISOLATE: name of the network namespace, with control groups of its own; empty: this host's.
# `build` and `enter` are the later legs of a start, run inside what the first has made. Run by the tool tree's busybox, whose shell
# has the small commands built in: those of the host would take longer to be started than the engine.
set -eu
leg=$1 tree=$2 bundle=$3 root=$4 socket=$5 isolate=$6
shift 6
self=$(readlink -f "$0")
# Not below the root directory: who removes that one tree must not walk into this host's control groups.
digest=$(printf %s "$root" | sha256sum)
pins=/run/slipway-${digest%"${digest#????????????????}"}
group=$pins/groups/slipway-$isolate
busybox=/usr/bin/busybox
say() { echo "engine: $*" >&2; }
# Read once: where containers run it is a long list.
mounts=
mounted() { case $mounts in *" $1 "*) ;; *) return 1 ;; esac; }

# --- on the host ---

start() {
  umask 022
  mkdir -p "$root/run" "${socket%/*}"
  lock
  mounts=$(grep -F " $pins" /proc/self/mountinfo) || mounts=
  echo "$isolate" > "$pins/isolate"
  [ -z "$isolate" ] || network
  discard_stale
  next=enter at=/host shell=$busybox
  mounted "$pins/mnt" || { pin; next=build at='' shell=$tree$busybox; }
  # No signal of the terminal reaches the engine but by us, so that Ctrl-C asks it once.
  setsid /usr/bin/nsenter --mount="$pins/mnt" ${isolate:+--net="/run/netns/$isolate" --cgroup="$pins/cgroup"} "$shell" sh "$at$self" \
    "$next" "$tree" "$bundle" "$root" "$socket" "$isolate" "$@" &
  engine=$!
  trap 'kill -TERM "$engine" 2> /dev/null || true' TERM INT
  # As with dockerd: read the configuration again.
  trap 'kill -HUP "$engine" 2> /dev/null || true' HUP
  # Once the engine has answered, which has more to do; without the lock, and without the terminal.
  { sleep 2; sweep; } 9>&- < /dev/null > /dev/null 2>&1 &
  sweeper=$!
  # A trapped signal ends `wait` early.
  code=0
  while :; do
    wait "$engine" && code=0 || code=$?
    kill -0 "$engine" 2> /dev/null || break
  done
  kill "$sweeper" 2> /dev/null || true
  occupied || { take_down && unlock; }
  exit "$code"
}

# Held by this shell and by the engine, however either ends. One that ends removes the file: then it was not the lock any more.
lock() {
  while :; do
    mkdir -p "$pins"
    exec 9> "$pins/lock"
    # A moment: another launcher may be looking whether this one is dead.
    flock -w 1 9 || { say "another engine runs in $root: stop it first, or choose another --root"; exit 1; }
    [ "$(stat -Lc %d:%i "/proc/$$/fd/9")" != "$(stat -c %d:%i "$pins/lock" 2> /dev/null)" ] || return 0
  done
}

# Namespace files can only be pinned on a mount that is private. Beside them all of this host's control groups, wherever it
# has them itself.
pin() {
  mounted "$pins" || { mount -o bind "$pins" "$pins" && mount --make-private "$pins"; }
  : > "$pins/mnt"
  identity > "$pins/tree"
  [ -z "$isolate" ] || pin_groups
  (unshare_pinned)
}

pin_groups() {
  : > "$pins/cgroup"
  mkdir -p "$pins/groups"
  mounted "$pins/groups" || mount -t cgroup2 cgroup2 "$pins/groups"
  mkdir -p "$group"
  # Only a group that delegates nothing takes a process itself.
  read -r controllers < "$group/cgroup.subtree_control" || controllers=
  for controller in $controllers; do echo "-$controller" > "$group/cgroup.subtree_control"; done
}

# Makes the namespaces. A mount namespace can only be pinned in one that is older, by numbers that newer kernels (6.18 has been seen)
# give out in a batch a processor: inside a young namespace, such as a container's, that may go wrong on one processor and well on
# the other.
unshare_pinned() {
  # What a control group namespace shows as / is where its maker stands.
  [ -z "$isolate" ] || sh -c 'echo $PPID > "$0/cgroup.procs"' "$group"
  set -- /usr/bin/unshare --mount="$pins/mnt" ${isolate:+--cgroup="$pins/cgroup"} --propagation slave "$tree$busybox" true
  "$@" 2> /dev/null && return 0
  for processor in $(seq 0 "$(($(nproc --all) - 1))"); do
    taskset -c "$processor" "$@" 2> /dev/null && return 0
  done
  # Once more, to say why.
  "$@"
}

identity() { stat -c %d:%i "$tree"; }

# Whether anything lives in the pinned namespace: a shim, or with --isolate a process in a container.
occupied() {
  inside=$(stat -Lc %i "$pins/mnt" 2> /dev/null) || return 1
  stat -Lc %i /proc/[0-9]*/ns/mnt 2> /dev/null | grep -qx "$inside" && return 0
  grep -qs 'populated 1' "$group/cgroup.events"
}

# What an engine that was killed left behind, with nothing alive in it and another tree than today's.
discard_stale() {
  mounted "$pins/mnt" || return 0
  [ "$(cat "$pins/tree" 2> /dev/null)" = "$(identity)" ] || occupied || take_down
}

take_down() {
  [ -z "$isolate" ] || find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
  for mount in mnt cgroup groups; do umount "$pins/$mount" 2> /dev/null || true; done
  # Lazily: the lock that this shell holds may have been opened through it.
  umount -l "$pins" 2> /dev/null || true
  rm -f "$pins/mnt" "$pins/cgroup" "$pins/tree"
  rmdir "$pins/groups" 2> /dev/null || true
  if [ -e "$pins/netns" ]; then
    "$ip" netns del "$isolate" 2> /dev/null || true
    rm -f "$pins/netns"
  fi
  rm -f "$pins/isolate"
  mounts=
}

# What launchers left that were killed with their engines, whose root directories may never be started from again. Who has the
# lock lives; nothing else does in a namespace that is not occupied.
sweep() {
  for other in /run/slipway-*; do
    [ "$other" != "$pins" ] && [ -f "$other/lock" ] || continue
    (
      exec 8> "$other/lock"
      flock -n 8 || exit 0
      pins=$other isolate=$(cat "$other/isolate" 2> /dev/null)
      group=$pins/groups/slipway-$isolate
      occupied || { take_down && unlock; }
    ) 2> /dev/null || true
  done
}

# Last of all: from then on another engine may start.
unlock() {
  rm -f "$pins/lock"
  rmdir "$pins" 2> /dev/null || true
}

# The built-in one knows no namespaces.
for ip in /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip ""; do [ ! -x "$ip" ] || break; done

# A network namespace as `ip netns` shows it, with an uplink of its own. No address is translated and no rule of this host
# touched: the host reaches published ports at the far end's address, and the namespace reaches the host.
network() {
  [ -e "/run/netns/$isolate" ] && return 0
  [ -n "$ip" ] || { say "--isolate needs ip: apt-get install iproute2"; exit 1; }
  "$ip" netns add "$isolate"
  : > "$pins/netns"
  number=$(printf %s "$isolate" | cksum | cut -d' ' -f1)
  tries=0
  until uplink $((number % 16384)); do
    number=$((number + 1)) tries=$((tries + 1))
    [ "$tries" -lt 64 ] || { say "no free network for the uplink of $isolate was found in 10.213.0.0/16"; exit 1; }
  done
}

uplink() {
  net=10.213.$(($1 / 64)) first=$(($1 % 64 * 4))
  "$ip" -o -4 addr show | grep -q " $net\.$((first + 1))/30 " && return 1
  "$ip" link add eth0 netns "$isolate" type veth peer name "slipway$1" 2> /dev/null || return 1
  printf '%s\n' "addr add $net.$((first + 1))/30 dev slipway$1" "link set slipway$1 up" | "$ip" -batch -
  printf '%s\n' "link set lo up" "addr add $net.$((first + 2))/30 dev eth0" "link set eth0 up" \
    "route add default via $net.$((first + 1))" | "$ip" -n "$isolate" -batch -
}

# --- in the new mount namespace, still with the host's root ---

build() {
  # Those of other engines, too: copies of them would keep what they pin.
  umount -l /run/slipway-* 2> /dev/null || true
  new=$tree/mnt
  mount -t tmpfs -o mode=755 tmpfs "$new"
  cd "$new"
  mkdir -p usr etc host proc dev sys run tmp var/lib var/tmp var/log root mnt
  chmod 1777 tmp var/tmp
  ln -s /run var
  ln -s usr/bin usr/sbin usr/lib .
  [ ! -e "$tree/lib64" ] || ln -s usr/lib64 .
  for name in usr etc; do
    mount -o bind "$tree/$name" "$name"
    mount -o remount,bind,ro none "$name"
  done
  for name in proc dev; do mount -o rbind "/$name" "$name"; done
  # Of this network namespace, and with a pure control group tree whatever the host mixes.
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  # For AppArmor, where this kernel has it.
  mount -t securityfs securityfs sys/kernel/security 2> /dev/null || true
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  # Before the root directory, which may lie below it.
  mkdir -p ".${socket%/*}"
  mount -o bind "${socket%/*}" ".${socket%/*}"
  mkdir -p ".$root"
  mount -o rbind "$root" ".$root"
  # As in the VM, what a reboot may forget lives as long as the namespace.
  mount -t tmpfs -o mode=711 tmpfs ".$root/run"
  pivot_root . host
  become_engine "$@"
}

# --- inside ---

enter() {
  reach "${socket%/*}"
  umount /usr/lib/slipway 2> /dev/null || true
  become_engine "$@"
}

become_engine() {
  cd /
  PATH=/usr/sbin:/usr/bin:/sbin:/bin
  export PATH
  mount -o bind "/host$bundle" /usr/lib/slipway
  mount -o remount,bind,ro none /usr/lib/slipway
  cat /host/etc/resolv.conf > /var/lib/resolv.conf 2> /dev/null || : > /var/lib/resolv.conf
  if [ -n "$isolate" ]; then
    mkdir -p /sys/fs/cgroup/engine
    echo $$ > /sys/fs/cgroup/engine/cgroup.procs
    # What is not there to be delegated shows in the engine's /info.
    read -r controllers < /sys/fs/cgroup/cgroup.controllers || controllers=
    for controller in $controllers; do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true; done
  fi
  # Layers are read, inflated and brought to the disk on these threads, side by side.
  export UV_THREADPOOL_SIZE=12
  export NODE_COMPILE_CACHE=/usr/lib/slipway/compile-cache NODE_COMPILE_CACHE_PORTABLE=1
  read -r flags < /usr/lib/slipway/node-flags
  exec /usr/bin/node $flags /usr/lib/slipway/main.mjs --root "$root" --socket "$socket" --host-prefix /host "$@"
}

# Makes the socket's directory the host's, at the same path.
reach() {
  mkdir -p "$1"
  [ "$(stat -c %d:%i "$1")" != "$(stat -c %d:%i "/host$1")" ] || return 0
  case $root/ in "$1"/*) say "containers of an earlier start live in $root: give --socket in the directory it had then, or in another one that does not hold $root"; exit 1 ;; esac
  mount -o bind "/host$1" "$1"
}

"$leg" "$@"

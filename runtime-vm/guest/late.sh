#!/bin/sh
# What containers need and the engine's start does not. Other programs wait for the engine's first answer, so as not to delay it.
set_to() { echo "$2" > "/proc/sys/$1"; }
set_to net/ipv4/ip_forward 1
set_to net/ipv6/conf/all/forwarding 1
# Databases and file watchers in containers fail on the kernel's defaults.
set_to vm/max_map_count 1048576
set_to fs/inotify/max_user_instances 8192
set_to fs/inotify/max_user_watches 1048576
set_to kernel/keys/maxkeys 20000
set_to kernel/keys/maxbytes 2000000
# Beside the engine's start, on another processor: the packet filter's would be loaded one by one otherwise, while the engine
# that makes its first rules waits for each.
modprobe -a $(cat /usr/libexec/slipway/modules-late)
# Images of the other architecture run by emulation.
modprobe binfmt_misc && mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc &&
  cat /usr/libexec/slipway/foreign-programs > /proc/sys/fs/binfmt_misc/register
tries=0
until [ -S /run/docker.sock ] || [ $tries -ge 120 ]; do
  sleep 1
  tries=$((tries + 1))
done
chmod 1777 /var/tmp
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
# Packets within a bridge are nobody's business here, and those to the machine around (host.docker.internal) would lose their way.
set_to net/bridge/bridge-nf-call-iptables 0
set_to net/bridge/bridge-nf-call-ip6tables 0

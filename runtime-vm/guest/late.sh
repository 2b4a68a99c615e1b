#!/bin/sh
# What containers need but the engine's start does not.
modprobe -a $(cat /usr/libexec/slipway/modules-late)
set_to() { echo "$2" > "/proc/sys/$1"; }
set_to net/ipv4/ip_forward 1
set_to net/ipv6/conf/all/forwarding 1
# Databases and file watchers in containers fail on the kernel's defaults.
set_to vm/max_map_count 1048576
set_to fs/inotify/max_user_instances 8192
set_to fs/inotify/max_user_watches 1048576
set_to kernel/keys/maxkeys 20000
set_to kernel/keys/maxbytes 2000000

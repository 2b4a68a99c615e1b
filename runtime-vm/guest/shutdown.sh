#!/bin/sh
# The engine has stopped its containers; what is on the data disk must be whole before the power goes.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
data=/var/lib/slipway
# Everything but init and this shell: open files would keep the disk mounted.
kill -TERM -1
others() {
  for process in /proc/[0-9]*; do
    case ${process#/proc/} in
      1 | $$) ;;
      *) [ -n "$(tr -d '\0' 2> /dev/null < "$process/cmdline")" ] && return 0 ;;
    esac
  done
  return 1
}
tries=0
while [ $tries -lt 20 ] && others; do
  usleep 100000
  tries=$((tries + 1))
done
kill -KILL -1
sync
# Deepest first: the table lists mounts in the order they were made.
cut -d' ' -f2 /proc/mounts | grep "^$data/" | tac | while read -r at; do umount "$at" || umount -l "$at"; done
umount "$data" || mount -o remount,ro "$data"
sync
poweroff -f

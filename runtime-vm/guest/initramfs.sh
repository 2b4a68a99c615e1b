#!/bin/busybox sh
# The first program: finds the root image by its disk's serial and hands over to its init.
export PATH=/bin
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
# Milliseconds since the kernel started: /proc/uptime has hundredths, whose leading zero would make them octal.
now() { read -r up _ < /proc/uptime; echo $((${up%.*} * 1000 + (1${up#*.} - 100) * 10)); }
# What was written to the console last would be lost with it: setting a terminal waits until that is out.
off() { $b stty -echo < /dev/console; $b poweroff -f; }
began=$(now)
@LOAD_MODULES@
tries=0
while :; do
  for disk in /sys/block/vd*; do
    [ "$($b cat "$disk/serial" 2>/dev/null)" = slipway-root ] && root=/dev/${disk##*/}
  done
  [ -n "$root" ] && break
  tries=$((tries + 1))
  if [ $tries -gt 200 ]; then
    echo "slipway-step: root fail 0 no disk with the serial slipway-root"
    off
  fi
  $b usleep 50000
done
if ! $b mount -t erofs -o ro "$root" /root; then
  echo "slipway-step: root fail 0 $root does not mount"
  off
fi
echo "slipway-step: root ok $(($(now) - began))"
$b mount -o move /dev /root/dev
$b umount /proc /sys
exec $b switch_root /root /sbin/init

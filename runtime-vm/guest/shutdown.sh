#!/bin/sh
# The engine has stopped its containers; what is on the data disk must be whole before the power goes.
sync
umount /var/lib/slipway/run 2>/dev/null
umount /var/lib/slipway 2>/dev/null || mount -o remount,ro /var/lib/slipway
sync

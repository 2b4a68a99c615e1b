#!/bin/sh
# Respawned by init: the engine in the foreground, in its own control group.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
# Reads of image layers and logs take turns on these threads.
export UV_THREADPOOL_SIZE=12
export NODE_COMPILE_CACHE=/usr/lib/slipway/compile-cache NODE_COMPILE_CACHE_PORTABLE=1 NODE_NO_WARNINGS=1
# An engine that cannot start must not keep the processor busy with trying.
read -r up _ < /proc/uptime
last=
[ ! -e /run/engine.started ] || read -r last < /run/engine.started
[ "$last" != "${up%.*}" ] || sleep 2
echo "${up%.*}" > /run/engine.started
echo $$ > /sys/fs/cgroup/slipway-engine/cgroup.procs
echo -500 > /proc/self/oom_score_adj
ulimit -n 1048576
read -r words < /proc/cmdline
debug=
case " $words " in *" slipway.debug "*) debug=--debug ;; esac
read -r flags < /usr/lib/slipway/node-flags
# With this flag the engine gives memory back while it rests, its program's text among it. Software emulation would have to
# translate all of that anew, which takes longer than what was asked for.
case " $words " in *" slipway.emulated "*) flags=${flags%--expose-gc*}${flags#*--expose-gc} ;; esac
exec node $flags /usr/lib/slipway/main.mjs --root /var/lib/slipway --socket /run/docker.sock --config /run/daemon.json --host-prefix /host \
  --link /dev/virtio-ports/h2 --ctl /dev/virtio-ports/ctl $debug < /dev/null > /dev/console 2>&1

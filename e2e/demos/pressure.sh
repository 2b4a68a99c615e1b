#!/bin/sh
# What a container had to wait for, and what its memory is made of. Usage: DOCKER_HOST=unix:///path/to/engine.sock sh e2e/demos/pressure.sh
set -eu
: "${DOCKER_HOST:?set it to the engine's socket: unix:///path/to/engine.sock}"
IMAGE=${IMAGE:-busybox}
pressure() { curl -sS --fail-with-body --unix-socket "${DOCKER_HOST#unix://}" "http://engine/slipway/$1pressure"; }
known() {
  for _ in $(seq 120); do pressure "containers/$1/" | grep -q '"Points":\[\[' && return; sleep 0.5; done
  echo "nothing is known of $1 after a minute" >&2
  return 1
}
# The page cache of the one stands by itself: it is not memory that somebody needs.
docker run -d --name reader "$IMAGE" sh -c 'dd if=/dev/zero of=/file bs=1M count=64; while :; do cat /file > /dev/null; sleep 1; done' >/dev/null
docker run -d --name spinner "$IMAGE" sh -c 'while :; do :; done' >/dev/null
echo "== once something is known of them"
for name in reader spinner; do
  known "$name"
  echo "-- $name"
  pressure "containers/$name/" | cut -c1-1200
done
echo "-- the machine"
pressure "" | cut -c1-1200
docker rm -f reader spinner >/dev/null

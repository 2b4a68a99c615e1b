#!/bin/sh
# The engine is killed while it works, five times: what it said yes to is there, what ran runs on. It starts an engine of its own, beside
# any other. Usage, as root on Linux: sh e2e/demos/crash.sh (needs docker's CLI, curl and busybox-static)
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d /var/tmp/slipway-demo-XXXXXX)
export DOCKER_HOST="unix://$work/docker.sock"
echo "{\"pidfile\": \"$work/engine.pid\"}" > "$work/daemon.json"

start() {
  : > "$work/out"
  node electron/launch/engine.mjs --root "$work/root" --socket "$work/docker.sock" --isolate "slipway-demo$$" --config "$work/daemon.json" > "$work/out" 2>&1 &
  until grep -q '^ready ' "$work/out"; do
    kill -0 $! 2>/dev/null || { cat "$work/out"; exit 1; }
    sleep 0.1
  done
}
stop() {
  docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || true
  engine=$(cat "$work/engine.pid" 2>/dev/null) && kill "$engine" && wait || true
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

start
mkdir -p "$work/tree/bin"
cp "$(command -v busybox)" "$work/tree/bin/busybox"
ln -s busybox "$work/tree/bin/sh"
tar -C "$work/tree" -c . | docker import --change 'ENV PATH=/bin' - busybox >/dev/null
docker run -d --name clock -v clock:/data busybox sh -c \
  'i=0; while :; do i=$((i + 1)); echo $i > /data/next; busybox mv /data/next /data/n; busybox usleep 20000; done' >/dev/null
pid=$(docker inspect -f '{{.State.Pid}}' clock)

for round in 1 2 3 4 5; do
  # Whatever the CLI printed, the engine had acknowledged.
  (i=0; while docker create --name "r$round-$i" -v "v$round-$i:/data" busybox true 2>/dev/null; do i=$((i + 1)); done) >> "$work/said" &
  maker=$!
  busybox usleep $((400000 + round * 137000))
  kill -9 "$(cat "$work/engine.pid")"
  wait $maker || true
  before=$(wc -l < "$work/said")
  start
  there=$(docker ps -aq --no-trunc | grep -cFxf "$work/said" || true)
  echo "== killed $round: acknowledged $before containers, $there of them there; the one that ran: $(docker inspect -f '{{.State.Status}}, pid {{.State.Pid}}' clock) (before: $pid), it has counted to $(docker run --rm -v clock:/data busybox busybox cat /data/n)"
  echo "   the store: $(curl -sS --fail-with-body --unix-socket "$work/docker.sock" http://engine/slipway/check)"
  [ "$there" = "$before" ] && [ "$(docker inspect -f '{{.State.Pid}}' clock)" = "$pid" ]
done
echo "== nothing was lost"

#!/bin/sh
# Failures that explain themselves. Usage: DOCKER_HOST=unix:///path/to/engine.sock sh e2e/demos/why.sh
set -eu
: "${DOCKER_HOST:?set it to the engine's socket: unix:///path/to/engine.sock}"
IMAGE=${IMAGE:-busybox}
ask() { curl -sS --fail-with-body --unix-socket "${DOCKER_HOST#unix://}" "http://engine/slipway/$1"; }
why() { ask "containers/$1/why"; }
fails() {
  name=$1
  shift
  docker rm -f "$name" >/dev/null 2>&1 || true
  docker run --name "$name" "$@" >/dev/null 2>&1 || true
  echo "== docker run $*"
  why "$name"
  docker rm -f "$name" >/dev/null
}

fails why-1 "$IMAGE" nothing-here
fails why-2 "$IMAGE" "echo hello world"
fails why-3 "$IMAGE" /etc/passwd
fails why-4 --read-only "$IMAGE" sh -c 'echo x > /etc/file'
fails why-5 --tmpfs /small:size=64k "$IMAGE" dd if=/dev/zero of=/small/file bs=1024 count=512
fails why-6 "$IMAGE" ip link add dummy0 type dummy
fails why-7 "$IMAGE" wget http://127.0.0.1:5432/
fails why-8 -p 203.0.113.9:18081:80 "$IMAGE" true
fails why-9 --user nobody-here "$IMAGE" true
fails why-10 "$IMAGE" sh -c 'exit 78'
echo "== docker pull 127.0.0.1:1/app"
docker pull 127.0.0.1:1/app >/dev/null 2>&1 || true
ask images/127.0.0.1:1/app/why
echo "== docker build"
printf 'FROM %s\nRUN makke all\n' "$IMAGE" | DOCKER_BUILDKIT=0 docker build - >/dev/null 2>&1 || true
newest=$(ask builds | sed 's/^[^{]*{[^}]*"ref":"\([^"]*\)".*/\1/')
ask "builds/$newest/why"
echo "== and one that is well"
docker run --name why-well "$IMAGE" echo "Permission denied" >/dev/null
why why-well
docker rm why-well >/dev/null

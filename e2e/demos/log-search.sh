#!/bin/sh
# What a container said is found after it was removed. Usage: DOCKER_HOST=unix:///path/to/engine.sock sh e2e/demos/log-search.sh
set -eu
: "${DOCKER_HOST:?set it to the engine's socket: unix:///path/to/engine.sock}"
IMAGE=${IMAGE:-busybox}
search() { curl -sSN --fail-with-body --unix-socket "${DOCKER_HOST#unix://}" -G http://engine/slipway/logs/search "$@"; }

echo "== a container fails, and removes itself"
docker run --rm --name checkout "$IMAGE" sh -c 'echo starting; echo "{\"level\":\"error\",\"msg\":\"payment refused\",\"order\":{\"id\":4711}}" >&2; exit 3' || true
echo "== docker logs checkout:"
docker logs checkout 2>&1 || true
echo "== the search still knows, by text:"
search -d container=checkout -d text=refused
echo "== by a field of its JSON:"
search -d container=checkout --data-urlencode field=order.id=4711
echo "== by level, in everything that ever ran:"
search -d level=error -d limit=5
echo "== a million lines"
docker run --name million "$IMAGE" sh -c 'yes "worker 7 handled a request in 12 ms status=200" | head -n 1000000; echo the last words' >/dev/null
docker rm million >/dev/null
search -d container=million --data-urlencode 'text=the last words' -d oldestFirst=1

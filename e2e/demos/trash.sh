#!/bin/sh
# Everything is pruned, and comes back. Usage: DOCKER_HOST=unix:///path/to/engine.sock sh e2e/demos/trash.sh
set -eu
: "${DOCKER_HOST:?set it to the engine's socket: unix:///path/to/engine.sock}"
IMAGE=${IMAGE:-busybox}
trash() { curl -sS --fail-with-body --unix-socket "${DOCKER_HOST#unix://}" -X "$1" "http://engine/slipway/trash${2:-}"; }
page() {
  for _ in $(seq 100); do docker exec shop wget -qO- http://127.0.0.1/ 2>/dev/null && return; sleep 0.1; done
  docker exec shop wget -O- http://127.0.0.1/
}

echo "== a web page, kept in a volume, on a network of its own"
docker network create shop-net >/dev/null
docker run -d --name shop --network shop-net -v shop-pages:/www "$IMAGE" sh -c '[ -e /www/index.html ] || echo "open since the first run" > /www/index.html; httpd -f -h /www' >/dev/null
page
before=$(docker inspect -f '{{.Id}}' shop)
echo "== all of it is pruned, image included"
docker stop -t 0 shop >/dev/null
docker system prune -a -f --volumes >/dev/null
docker volume prune -a -f >/dev/null
docker ps -a && docker volume ls && docker network ls
echo "== the trash:"
trash GET
echo "== undo"
trash POST "/$IMAGE/restore"
trash POST /shop/restore
docker start shop >/dev/null
page
after=$(docker inspect -f '{{.Id}}' shop)
[ "$before" = "$after" ] && echo "the same container: $after"
docker rm -f shop >/dev/null
docker network rm shop-net >/dev/null
docker volume rm shop-pages >/dev/null

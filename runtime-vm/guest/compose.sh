#!/bin/sh
# docker compose beside the engine, with the folders of the computer around at the paths they have there, so that what it tells the
# engine of relative paths is right:
#   compose.sh OUTPUTS PREFIX SOCKET TOP... -- ARGUMENT...
# OUTPUTS: `both` for one stream of what it says, `apart` for two. PREFIX: where those folders are here. SOCKET: the engine's. TOP: first parts of the paths that are needed. Run by `unshare -m`: what is
# mounted here goes with the process.
set -eu
outputs=$1 prefix=$2 socket=$3
shift 3
[ "$outputs" != both ] || exec 2>&1
mount -t tmpfs -o mode=755 tmpfs /mnt
cd /mnt
mkdir -m 1777 tmp
mkdir -p proc dev etc .slipway/usr .slipway/docker
: > .slipway/docker.sock
for name in proc dev; do mount -o rbind "/$name" "$name"; done
mount -o bind /etc etc
mount -o bind /usr .slipway/usr
mount -o bind "$socket" .slipway/docker.sock
while [ "$1" != -- ]; do
  mkdir -p "$1"
  mount -o rbind "$prefix/$1" "$1"
  shift
done
shift
for name in lib lib64; do [ -e "$name" ] || ln -s ".slipway/usr/$name" .; done
# Logins are the desktop's: none is read from a folder that happens to be there.
DOCKER_HOST=unix:///.slipway/docker.sock DOCKER_CONFIG=/.slipway/docker PATH=/usr/bin:/bin
export DOCKER_HOST DOCKER_CONFIG PATH
exec chroot . /.slipway/usr/libexec/docker/cli-plugins/docker-compose "$@"

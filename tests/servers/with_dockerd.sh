#!/bin/sh
# with_dockerd.sh CMD…: runs CMD with a Docker engine.
#
# Where an engine answers, it is used. Where none does, one is started by hand in a folder of its own, with a socket of
# its own, and stopped again after CMD, with all that it stored. It needs root, and installs Debian's docker.io when
# there is no dockerd.
set -eu

if [ $# -eq 0 ]; then
  echo "usage: $0 CMD…" >&2
  exit 2
fi

answers() {
  command -v docker >/dev/null && timeout 5 docker version >/dev/null 2>&1
}

if answers; then
  exec "$@"
fi

export TESTCONTAINERS_RYUK_DISABLED=true

if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io >/dev/null
  # Where systemd runs, the package has started a service: use it, and leave it stopped.
  if answers; then
    status=0
    "$@" || status=$?
    systemctl stop docker.service docker.socket || true
    exit "$status"
  fi
fi

home=$(mktemp -d /tmp/chainferry-dockerd-XXXXXX)
engine=

stop_engine() {
  [ -n "$engine" ] || return 0
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  engine=
}

clean_up() {
  stop_engine
  # A killed container may have left its mounts.
  grep -o " $home[^ ]*" /proc/mounts | sort -r | while read -r mounted; do umount -l "$mounted" || true; done
  rm -rf "$home"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts the engine with the options given; fails when it does not answer.
start_engine() {
  dockerd --host "unix://$home/docker.sock" --data-root "$home/data" --exec-root "$home/run" \
    --pidfile "$home/pid" "$@" >"$home/log" 2>&1 &
  engine=$!
  for _ in $(seq 150); do
    if answers; then return 0; fi
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
  done
  stop_engine
  return 1
}

export DOCKER_HOST="unix://$home/docker.sock"

if ! start_engine; then
  # A sandbox may allow neither a bridge nor overlay mounts.
  if start_engine --bridge=none --iptables=false --ip6tables=false --storage-driver=vfs; then
    export FERRY_TEST_DOCKER_NETWORK=host TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
  else
    tail -n 20 "$home/log" >&2
    exit 1
  fi
fi

status=0
"$@" || status=$?
exit "$status"

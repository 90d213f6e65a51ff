#!/usr/bin/env bash
# Called by make when Python has no pip: Debian's package if we are root, else says what to do.
set -euo pipefail
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "$1 has no pip: installing Debian's python3-pip with apt-get (we are root)"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip >/dev/null
else
  echo "$1 has no pip. Install it once, as root: apt-get install python3-pip; then run the same make command again." >&2
  exit 1
fi

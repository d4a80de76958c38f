#!/bin/sh
# Debian and Ubuntu: the engine the ring needs. Elsewhere: any syncthing 1.19 or newer, named by SYNCTHING_BIN.
set -eu
apt-get update
apt-get install -y --no-install-recommends syncthing

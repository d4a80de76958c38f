#!/bin/sh
# Debian and Ubuntu: Wine 8 or newer. The Windows Python and its packages are fetched by the ring itself.
set -eu
apt-get update
apt-get install -y --no-install-recommends wine wine64

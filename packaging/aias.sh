#!/bin/sh
# The command, with the service's own settings where this user may read them.
set -a
if [ -r /etc/aias/aias.env ]; then
  . /etc/aias/aias.env
fi
: "${AIAS_HOME:=/usr/share/aias}"
: "${AIAS_DATA:=/var/lib/aias}"
set +a
exec /usr/lib/aias/aias "$@"

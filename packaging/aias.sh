#!/bin/sh
# The command, with the service's own settings where this user may read them; what the caller has set wins over those.
given=$(export -p)
set -a
if [ -r /etc/aias/aias.env ]; then
  . /etc/aias/aias.env
fi
# Not for the service: the login that owns the schema.
if [ -r /etc/aias/owner.env ]; then
  . /etc/aias/owner.env
fi
eval "$given"
: "${AIAS_HOME:=/usr/share/aias}"
: "${AIAS_DATA:=/var/lib/aias}"
set +a
exec /usr/lib/aias/aias "$@"

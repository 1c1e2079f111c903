#!/bin/sh
# netplan's command line is Python and takes ten seconds to start on an emulated processor. For `netplan generate`,
# which cloud-init calls at first boot, it does nothing but call this program.
if [ "$*" = generate ]; then
    exec /lib/netplan/generate
fi
exec /usr/sbin/netplan "$@"

#!/bin/sh
# netplan's command line is Python and takes ten seconds to start on an emulated processor. For `netplan generate`,
# which cloud-init calls at first boot, it does nothing but call this program (below /lib before netplan 0.107).
if [ "$*" = generate ]; then
    for program in /usr/libexec/netplan/generate /lib/netplan/generate; do
        [ ! -x $program ] || exec $program
    done
fi
exec /usr/sbin/netplan "$@"

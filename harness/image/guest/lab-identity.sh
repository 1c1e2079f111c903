#!/bin/sh
# Prints what tells this boot, this installation and this first boot from others, as lines of name=value; a name that
# occurs several times has several lines, and one whose file is missing has none. Needs root.
# Usage: lab-identity COPY_MARKER
# The harness also runs it in guests that were installed without it.
first_line() { # $1: name, $2: file
    [ -f "$2" ] || return 0
    value=
    read -r value < "$2" || :
    echo "$1=$value"
}

first_line boot_id /proc/sys/kernel/random/boot_id
first_line machine_id /etc/machine-id
for key in /etc/ssh/ssh_host_*_key.pub; do
    first_line host_keys "$key"
done
first_line instance /var/lib/cloud/data/instance-id
first_line installer_runs /var/lib/lab-installer-runs
if [ -f "$1" ]; then
    stat -c 'iso_copy=%Y' "$1"
    sed 's/^/iso_copy=/' "$1"
    echo # the marker may end without a line end
fi
# Name and age of what cloud-init writes once per instance.
(cd /var/lib/cloud/instance/sem && stat -L -c 'first_boot=%n:%Y' -- *)
# ISO 9660, 8.4: the primary volume descriptor is sector 16; its volume identifier is 32 bytes from byte 40 on.
label=$(dd if=/dev/sr0 bs=2048 skip=16 count=1 2> /dev/null | dd bs=1 skip=40 count=32 2> /dev/null)
if [ -n "$label" ]; then
    echo "volume=${label%"${label##*[! ]}"}" # without the blanks at its end
else
    dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2>&1 | sed 's/^/drive=/'
fi

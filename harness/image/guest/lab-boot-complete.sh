#!/bin/sh
# Says who this machine is, and that this boot has ended, and how cloud-init ended in it: `done`, `degraded` or `error`.
# Reads cloud-init's own result files, because starting its command line costs seconds on a slow machine.
iso_copy_marker=
[ -f /etc/lab-seed.conf ] && . /etc/lab-seed.conf
told=$(lab-identity "$iso_copy_marker" 2> /dev/null |
    sed -e ':a' -e '$!{' -e 'N' -e 'ba' -e '}' \
        -e 's/%/%25/g; s/ /%20/g; s/\t/%09/g; s/\r/%0D/g; s/\n/%0A/g')
lab-event identity "told=$told"

result=$(tr -d ' \n' < /run/cloud-init/result.json 2> /dev/null)
case $result in
    *'"errors":[]'*'"recoverable_errors":{"'*) state=degraded ;;
    *'"errors":[]'*) state=done ;;
    *) state=error ;;
esac
read -r up _ < /proc/uptime
exec lab-event boot-complete "cloud_init=$state" "seconds=${up%.*}"

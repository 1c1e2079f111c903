#!/bin/sh
# Writes one event line to the first serial port, where the host reads it:
#   @LAB1 <nonce> <boot id> <event> [key=value ...] #<length of the line up to and including the blank before #>
# Usage: lab-event EVENT [key=value ...]

lab_nonce() { # prints the hypervisor's serial number without prefix, blanks and dash; "-" when there is none
    serial=
    read -r serial < /sys/class/dmi/id/product_serial || :
    case $serial in
        "VMware-"*) ;;
        *) serial= ;;
    esac
    nonce=
    serial=${serial#VMware-}
    old_ifs=$IFS
    IFS=' -'
    for part in $serial; do
        nonce=$nonce$part
    done
    IFS=$old_ifs
    printf '%s' "${nonce:--}"
}

lab_event() {
    read -r boot_id < /proc/sys/kernel/random/boot_id
    line="@LAB1 $(lab_nonce) $boot_id $* "
    printf '\n%s#%s\n' "$line" "${#line}" > /dev/ttyS0
}

if [ "${LAB_EVENT_LIBRARY-}" != 1 ]; then
    lab_event "$@"
fi

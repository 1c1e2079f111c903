#!/bin/busybox sh
# First process of the guest: finds the installed system and hands over to it,
# or, with `lab.install` on the kernel's command line, runs the installer of the CD.

/bin/busybox mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
# What this script says goes to every console of the guest.
exec < /dev/console > /dev/console 2>&1

loaded=
load() { # loads the modules of a group, in order, each once
    while read -r module; do
        case " $loaded " in
            *" $module "*) continue ;;
        esac
        insmod "/modules/$module"
        loaded="$loaded $module"
    done < "/modules/$1.list"
}

load_controllers() { # loads the drivers of the disk controllers that this machine has; $1: "ide" or "other"
    for device in /sys/bus/pci/devices/*; do
        read -r class < "$device/class"
        read -r vendor < "$device/vendor"
        read -r id < "$device/device"
        case $1:$class:$vendor:$id in
            other:0x0106*) load ahci ;;
            other:0x0108*) load nvme ;;
            other:*:0x1000:0x0030) load mptspi ;;
            other:*:0x15ad:0x07c0) load pvscsi ;;
            other:*:0x1af4:*) load virtio ;;
            ide:0x0101*) load ide ;;
        esac
    done
}

wait_for() { # calls a function until it is true, for at most $1 tenths of a second
    rounds=$1
    shift
    while [ "$rounds" -gt 0 ]; do
        "$@" && return 0
        usleep 100000
        rounds=$((rounds - 1))
    done
    return 1
}

find_root() {
    root=$(findfs "$root_id") && [ -n "$root" ]
}

boot_installed() {
    load ext4
    load_controllers other
    if ! wait_for 50 find_root; then
        load_controllers ide
        if ! wait_for 300 find_root; then
            echo "init: no disk has the root file system $root_id"
            exec sh
        fi
    fi
    mount -t ext4 -o "rw,noatime" "$root" /root || exec sh
    mount --move /dev /root/dev
    mount --move /sys /root/sys
    mount --move /proc /root/proc
    # By its path: the shell finds its own applets through /proc, which has just been moved.
    exec /bin/busybox switch_root /root /sbin/init
}

root_id=
install=
read -r command_line < /proc/cmdline
for word in $command_line; do
    case $word in
        root=*) root_id=${word#root=} ;;
        lab.install) install=1 ;;
    esac
done

load disk
if [ -z "$install" ]; then
    boot_installed
fi
. /installer.sh

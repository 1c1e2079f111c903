# The installer, run by init: writes the image of the CD to the blank disk, copies the payload, reboots.
# It never installs on a disk that holds anything: a machine that boots from its CD by mistake stays as it is, but for
# the counter of installer runs that an earlier installation left there.

run_counter=/root/var/lib/lab-installer-runs
LAB_EVENT_LIBRARY=1
. /lab-event.sh

say() {
    echo "lab installer: $*"
}

fail() { # $1: the reason, one word
    say "failed: $1"
    lab_event installer-failed "reason=$1"
    sleep 10
    poweroff -f
}

uptime_s() {
    read -r up _ < /proc/uptime
    echo "${up%.*}"
}

find_cd() {
    for device in /sys/block/sr*; do
        [ -e "$device" ] || continue
        mount -t iso9660 -o ro "/dev/${device##*/}" /cd 2> /dev/null || continue
        if [ -f /cd/installer/disk.map ]; then
            cd_name=${device##*/}
            return 0
        fi
        umount /cd
    done
    return 1
}

find_disk() { # the first disk in the kernel's order
    for device in /sys/block/sd* /sys/block/vd* /sys/block/nvme*n*; do
        [ -e "$device" ] || continue
        read -r removable < "$device/removable"
        [ "$removable" = 0 ] || continue
        disk=${device##*/}
        case $disk in
            nvme*) partition=/dev/${disk}p1 ;;
            *) partition=/dev/${disk}1 ;;
        esac
        return 0
    done
    return 1
}

count_refused_run() { # where an installer of ours has been before: the counter is all that is written
    mount -t ext4 -o ro,noload "$partition" /root 2> /dev/null || return 0
    ours=0
    [ -f "$run_counter" ] && ours=1
    umount /root
    if [ "$ours" = 1 ] && mount -t ext4 "$partition" /root; then
        count_run
        umount /root
        sync
    fi
}

refuse_unless_blank() { # the first 16 MiB hold every partition table and the head of every file system
    if ! dd if="/dev/$disk" bs=1M count=16 2> /dev/null | cmp -s -n 16777216 - /dev/zero; then
        say "the disk $disk is not blank: nothing is written to it, powering off"
        count_refused_run
        lab_event installer-refused reason=disk-not-blank "disk=$disk"
        sleep 1
        poweroff -f
    fi
}

write_disk() { # copies the chunks of the image to their places
    read -r sectors < "/sys/block/$disk/size"
    read -r needed < /cd/installer/disk.sectors
    [ "$sectors" -ge "$needed" ] || fail disk-too-small
    # From device to device past the page cache: ten times as fast on an emulated processor as reading the file.
    read -r start < /cd/installer/disk.start
    while read -r seek skip count; do
        dd if="/dev/$cd_name" of="/dev/$disk" bs=4M iflag=direct,skip_bytes,count_bytes,fullblock \
            oflag=direct,seek_bytes conv=notrunc skip=$((start + skip * 1048576)) seek=$((seek * 1048576)) \
            count=$((count * 1048576)) 2> /dev/null || fail disk-write
        written=$((written + count))
    done < /cd/installer/disk.map
    blockdev --rereadpt "/dev/$disk"
}

verify_disk() { # compares what is on the disk now with the sum of the image
    read -r expected < /cd/installer/disk.crc32
    wait_for 100 mount_target ro,noload || fail image-differs
    mount --bind /dev /root/dev
    # By the installed system's Python: busybox has no sum that an emulated processor computes in seconds.
    found=$(chroot /root python3 -I -S -B -c "$(cat /disk-crc.py)" "/dev/$disk" < /cd/installer/disk.map 2>&1)
    umount /root/dev
    umount /root || fail unmount
    if [ "$found" != "$expected" ]; then
        say "the CRC-32 of the disk is $expected on the seed ISO, and here: $found"
        fail image-differs
    fi
}

grow_partition() { # gives the partition the whole disk
    length=$((sectors - 2048))
    # Sector count of the first partition: four bytes, little-endian, at offset 446 + 12 of the boot record.
    printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $((length & 255)) $((length >> 8 & 255)) \
        $((length >> 16 & 255)) $((length >> 24 & 255)))" |
        dd of="/dev/$disk" bs=1 seek=458 conv=notrunc 2> /dev/null
    blockdev --rereadpt "/dev/$disk"
}

mount_target() { # $1: mount options
    [ -b "$partition" ] && mount -t ext4 -o "$1" "$partition" /root
}

copy_files() { # copies /files/ and compares every size and digest with the lists of the CD
    target=/root$payload
    mkdir -p "$target"
    cp -r /cd/files/. "$target/" || fail copy
    cd "$target" || fail copy
    find . -type f -exec stat -c '%s %n' {} + | sort > /tmp/sizes
    cmp -s /tmp/sizes /cd/installer/files.sizes || fail size-differs
    sha256sum -c -s /cd/installer/files.sha256 || fail digest-differs
    files=0
    bytes=0
    while read -r size _; do
        files=$((files + 1))
        bytes=$((bytes + size))
    done < /tmp/sizes
    cd /
}

install_seed() { # NoCloud data for the first boot of the installed system
    nocloud=/root/var/lib/cloud/seed/nocloud
    mkdir -p "$nocloud"
    cp /cd/autoinstall/user-data /cd/autoinstall/meta-data /cd/autoinstall/network-config "$nocloud/" || fail seed
    chmod 700 "$nocloud"
    chmod 600 "$nocloud/user-data"
    cp /cd/installer/settings /root/etc/lab-seed.conf || fail seed
}

install_boot_loader() {
    mount --bind /dev /root/dev
    mount -t proc proc /root/proc
    chroot /root /usr/bin/extlinux --install /boot/extlinux > /tmp/extlinux 2>&1 || {
        cat /tmp/extlinux
        fail boot-loader
    }
    umount /root/proc
    umount /root/dev
}

count_run() { # on the installed disk, mounted at /root
    runs=0
    [ -f "$run_counter" ] && read -r runs < "$run_counter"
    echo $((runs + 1)) > "$run_counter"
}

write_markers() {
    count_run
    mkdir -p "/root${iso_copy_marker%/*}"
    printf '{"files": %s, "bytes": %s, "timestamp": "%s", "nonce": "%s"}\n' \
        "$files" "$bytes" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(lab_nonce)" > "/root$iso_copy_marker"
}

load cd
load ext4
load_controllers other
load_controllers ide
lab_event installer-start
say "waiting for CD and disk"
wait_for 300 find_cd || fail no-cd
wait_for 100 find_disk || fail no-disk
. /cd/installer/settings
refuse_unless_blank
say "writing $disk"
written=0
started=$(uptime_s)
write_disk
lab_event disk-written "bytes=$((written * 1048576))" "seconds=$(($(uptime_s) - started))"
started=$(uptime_s)
verify_disk
lab_event disk-verified "seconds=$(($(uptime_s) - started))"
grow_partition
wait_for 100 mount_target noatime || fail no-partition
say "copying /files"
copy_files
install_seed
install_boot_loader
write_markers
sync
lab_event copied "files=$files" "bytes=$bytes"
umount /root || fail unmount
sync
say "done, rebooting into the installed system"
lab_event installer-done
reboot -f

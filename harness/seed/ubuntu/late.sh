#!/bin/sh
# Run by Ubuntu's installer when the new system is at /target: copies the payload, compares it, leaves the marker.
# Usage: late.sh SEED PAYLOAD MARKER
set -eu
seed=$1
payload=$2
marker=$3
# shellcheck disable=SC2034
LAB_EVENT_LIBRARY=1
# shellcheck disable=SC1091
. "$seed/installer/lab-event.sh"

mkdir -p "$payload" "${marker%/*}"
cp -r "$seed/files/." "$payload/"
cd "$payload"
sha256sum --quiet -c "$seed/installer/files.sha256"
tar -x -f "$seed/installer/guest.tar" -C /target
# sshd as a service: a socket of systemd knows another port only in some releases.
curtin in-target --target=/target -- systemctl disable ssh.socket || :
curtin in-target --target=/target -- systemctl enable ssh.service

files=0
bytes=0
while read -r size _; do
    files=$((files + 1))
    bytes=$((bytes + size))
done < "$seed/installer/files.sizes"
printf '{"files": %s, "bytes": %s, "timestamp": "%s", "nonce": "%s"}\n' \
    "$files" "$bytes" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(lab_nonce)" > "$marker"
sync
lab_event copied "files=$files" "bytes=$bytes"

#!/bin/sh
# Installs the operations packages from the payload, offline, and writes what dpkg says about each of them.
. /etc/lab-seed.conf
seed=$payload/packages
marker=$packages_marker
[ -f "$seed/expected" ] && [ ! -e "$marker" ] || exit 0
names=$(cat "$seed/expected")
list=/etc/apt/sources.list.d/k8s-ops-packages.list
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

echo "deb [trusted=yes] file:$seed ./" > "$list"
only="-o Dir::Etc::SourceList=$list -o Dir::Etc::SourceParts=/dev/null -o APT::Update::Post-Invoke-Success::="
# shellcheck disable=SC2086
apt-get -q $only update &&
    apt-get -q -y $only -o Dpkg::Options::=--force-unsafe-io -o DPkg::Lock::Timeout=60 -o Dpkg::Use-Pty=0 \
        --no-install-recommends install $names
code=$?

expected=0
installed=0
missing=
# One word for each package that is installed, and for each name that it provides.
known=$(dpkg-query -W -f '${db:Status-Abbrev},${Package}, ${Provides}\n' | sed -n 's/^ii ,//p' |
    sed 's/([^)]*)//g' | tr ',\n' '  ')
for name in $names; do
    expected=$((expected + 1))
    case " $known " in
        *" $name "*) installed=$((installed + 1)) ;;
        *) missing="$missing${missing:+, }\"$name\"" ;;
    esac
done
mkdir -p "${marker%/*}"
printf '{"expected": %s, "installed": %s, "missing": [%s], "apt_exit": %s, "timestamp": "%s"}\n' \
    "$expected" "$installed" "$missing" "$code" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$marker.new"
mv "$marker.new" "$marker"
lab-event packages "installed=$installed" "expected=$expected"
[ "$installed" = "$expected" ]

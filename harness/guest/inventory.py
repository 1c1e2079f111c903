"""Inventory of a finished guest: what is there beside what is planned.

One command prints everything, because each command of its own costs an emulated guest time. The judges are pure: each
returns what differs from the plan, one text for each difference.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

# Arguments: address, SSH port, SSH account, address of the gateway, address of a neighbour or `-`.
# Each section begins with a line `== name`.
_SCRIPT = r"""
set -- %s
s() { echo "== $1"; }
try() { for u in root "$3"; do echo "$u $(ssh -F /dev/null -o BatchMode=yes -o PreferredAuthentications=none \
  -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=20 -p "$2" \
  "$u@$1" true 2>&1 </dev/null | tail -n 1)"; done; }
s block; for d in /sys/block/*; do echo "${d##*/} $(cat $d/size)"; done
s cards; for d in /sys/class/net/*/device; do d=${d%%/device}; echo "${d##*/}"; done
s addresses; ip -o addr show scope global
s routes; ip -4 route show table all; ip -6 route show table all
s rules; ip -4 rule show; ip -6 rule show
s listeners; ss -Hltunp
s accounts; awk -F: 'NR==FNR { k[$1] = $2 == "" ? "empty" : $2 ~ /^[!*]/ ? "locked" : "password"; next }
  ($3 == 0 || $3 >= 1000) && $7 !~ /(nologin|false)$/ { print $1, $6, k[$1] }' /etc/shadow /etc/passwd
s keys; awk -F: '$7 !~ /(nologin|false)$/ { print $1, $6 }' /etc/passwd | while read -r n h; do
  for f in "$h/.ssh/authorized_keys" "$h/.ssh/authorized_keys2"; do
    [ ! -s "$f" ] || sed -n '/^[[:space:]]*[^#[:space:]]/{s/^/'"$n"' /p}' "$f"; done; done
s sshd; for u in root "$3"; do /usr/sbin/sshd -T -C "user=$u,host=client,addr=$4" | sed "s/^/$u /"; done
m=$(grep -rhiE '^[[:space:]]*(match|include)[[:space:]]' /etc/ssh/sshd_config /etc/ssh/sshd_config.d |
  grep -viE '^[[:space:]]*include[[:space:]]+"?/etc/ssh/sshd_config\.d/\*\.conf"?[[:space:]]*$' | tr '\n' ';')
s matches; echo "$m"
s sshd-age; p=$(pgrep -o -x sshd) && echo "$(($(date +%%s) - $(ps -o etimes= -p "$p")))" \
  "$(stat -c %%Z /etc/ssh/sshd_config /etc/ssh/sshd_config.d /etc/ssh/sshd_config.d/* | sort -n | tail -n 1)"
s tries; try "$1" "$2" "$3"
s neighbour; [ "$5" = - ] || try "$5" "$2" "$3"
s enabled; systemctl is-enabled ssh.service ssh.socket sshd.service 2>/dev/null | sed 's/^/ssh /'
systemctl is-enabled systemd-networkd.service NetworkManager.service networking.service 2>/dev/null | sed 's/^/net /'
s sysctl; grep -hv '^#' /etc/sysctl.conf /etc/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf 2>/dev/null
s modules; grep -hv '^#' /etc/modules /etc/modules-load.d/*.conf 2>/dev/null
s network; cat /etc/netplan/*.yaml /etc/systemd/network/*.network /etc/network/interfaces 2>/dev/null
s shadows; for f in /usr/local/bin/* /usr/local/sbin/*; do n=${f##*/}
  if [ -x "$f" ] && { [ -e "/usr/bin/$n" ] || [ -e "/usr/sbin/$n" ] || [ -e "/bin/$n" ] || [ -e "/sbin/$n" ]; }; then
    sha256sum "$f"; fi; done
s end
"""

# What k3s makes in a guest: interfaces and processes.
_CLUSTER_LINKS = re.compile(r"cni\d|flannel|veth|kube|cali|vxlan")
_CLUSTER_PROCESSES = re.compile(r'"(k3s|containerd|kube)')
_NO_WAY = ("local", "broadcast", "multicast", "anycast", "unreachable", "blackhole", "prohibit", "throw")
_TABLES = {0: "local", 32766: "main", 32767: "default"}
_RULES = [f"{number}: from all lookup {table}".split() for number, table in _TABLES.items()]
_LOOPBACK = re.compile(r"127\.|\[::1\]")
_OTHER_KEYS = {"authorizedkeyscommand": "none", "trustedusercakeys": "none", "authorizedprincipalscommand": "none"}
_KEY_FILES = {".ssh/authorized_keys", ".ssh/authorized_keys2"}


@dataclass(frozen=True)
class Planned:
    """What the lab file plans for one guest.

    Attributes:
        key: The lab's public key, as `type blob`.
        installer_password: Whether the account may have a password: Ubuntu's installer wants one, also where no
            login takes it. Whether a login does is judged by sshd's settings and by tries.
        neighbour: The guest at which this one tries to log in, as sshd may treat the lab's other addresses otherwise.
    """

    address: IPv4Interface
    gateway: IPv4Address
    ssh_port: int
    user: str
    key: str
    password_ssh: bool
    root_ssh: bool
    installer_password: bool = False
    neighbour: IPv4Address | None = None


def inventory_command(planned: Planned) -> str:
    """Return the command that prints the inventory; it has to run as root."""
    words = (
        str(planned.address.ip),
        str(planned.ssh_port),
        planned.user,
        str(planned.gateway),
        str(planned.neighbour or "-"),
    )
    return _SCRIPT % " ".join(shlex.quote(word) for word in words)


def parse_inventory(text: str) -> dict[str, list[str]]:
    """Return the lines of each section.

    Raises:
        ValueError: The command did not come to its end.
    """
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif line.strip():
            lines.append(line.strip())
    if "end" not in found:
        raise ValueError(f"the guest printed no whole inventory: {text[-300:]!r}")
    return found


def further_devices(seen: Mapping[str, Sequence[str]], cd_drives: int = 1) -> list[str]:
    """Return devices beside one disk, the CD drives and one card.

    Those are block devices and network cards.
    """
    sizes = [line.split() for line in seen["block"]]
    names = [
        name for name, size in sizes if not re.match(r"loop|ram|zram|dm-|md", name) and (size != "0" or "sr" in name)
    ]
    drives = [name for name in names if re.match(r"sr\d", name)]
    disks = [name for name in names if name not in drives]
    wrong = [] if len(disks) == 1 else [f"{len(disks)} disks, not 1: {', '.join(disks)}"]
    further = len(drives) > cd_drives
    wrong += [f"{len(drives)} CD drives, not {cd_drives}: {', '.join(drives)}"] if further else []
    cards = list(seen["cards"])
    return wrong + ([] if len(cards) == 1 and cards != ["*"] else [f"{len(cards)} network cards: {', '.join(cards)}"])


def further_ways(seen: Mapping[str, Sequence[str]], planned: Planned) -> list[str]:
    """Return addresses and routes beside the planned ones."""
    wrong, there = [], False
    for line in seen["addresses"]:
        _, link, _, address = line.split()[:4]
        there |= address == str(planned.address)
        if address != str(planned.address) and not _CLUSTER_LINKS.match(link):
            wrong.append(f"address {address} on {link}")
    if not there:
        wrong.append(f"address {planned.address} is missing")
    defaults = 0
    for line in seen["routes"]:
        words = line.split()
        link = words[words.index("dev") + 1] if "dev" in words else ""
        if words[0] in _NO_WAY or link == "lo" or _CLUSTER_LINKS.match(link):
            continue
        of_main, network = "table" not in words, str(planned.address.network)
        if of_main and words[:3] == ["default", "via", str(planned.gateway)]:
            defaults += 1
        elif not (of_main and words[:2] == [network, "dev"]) and not words[0].startswith(("fe80:", "ff00:")):
            wrong.append(f"route {line}")
    wrong += [f"rule {line}" for line in seen["rules"] if line.split() not in _RULES and "kube" not in line]
    return wrong if defaults == 1 else [*wrong, f"{defaults} default routes to {planned.gateway}, not 1"]


def further_listeners(seen: Mapping[str, Sequence[str]], planned: Planned) -> list[str]:
    """Return sockets that others than the guest itself reach, beside SSH."""
    wrong = []
    for line in seen["listeners"]:
        words = line.split()
        if len(words) < 5:
            continue
        local = words[4]
        ssh = words[0] == "tcp" and local.rpartition(":")[2] == str(planned.ssh_port)
        if not (ssh or _LOOPBACK.match(local) or _CLUSTER_PROCESSES.search(line)):
            wrong.append(f"{words[0]} {local} {' '.join(words[6:])}".strip())
    return wrong


def further_accounts(seen: Mapping[str, Sequence[str]], planned: Planned) -> list[str]:
    """Return accounts, passwords and keys beside those of the plan."""
    wrong = []
    for line in seen["accounts"]:
        name, _, state = (*line.split(), "", "")[:3]
        if name not in ("root", planned.user):
            wrong.append(f"account {name}")
        allowed = name == planned.user and (planned.password_ssh or planned.installer_password)
        if state != "locked" and not (allowed and state == "password"):
            wrong.append(f"{name} has {'an empty password' if state == 'empty' else 'a password'}")
    for line in seen["keys"]:
        name, *words = line.split()
        lets_in = name == planned.user or (planned.root_ssh and name == "root")
        if not lets_in and "command=" in line and planned.key in line:
            continue  # cloud-init's way to say that root may not log in
        if not lets_in or planned.key not in " ".join(words):
            wrong.append(f"{name} lets in {' '.join(words[:2])[:60]}")
    if not any(line.split()[0] == planned.user and planned.key in line for line in seen["keys"]):
        wrong.append(f"{planned.user} has not the lab's key")
    return wrong


def open_logins(seen: Mapping[str, Sequence[str]], planned: Planned) -> list[str]:
    """Return logins that the lab file does not allow: by configuration, and as tried."""
    wrong = [f"sshd has conditional settings: {line}" for line in seen["matches"]]
    if not any(line.startswith(f"{planned.user} passwordauthentication ") for line in seen["sshd"]):
        wrong.append(f"sshd -T does not say whether {planned.user} may log in with a password")
    for line in seen["sshd"]:
        user, setting, value = (*line.split(maxsplit=2), "", "")[:3]
        promised = {"passwordauthentication": planned.password_ssh, "permitrootlogin": planned.root_ssh}
        if setting in promised and (value != "no") is not promised[setting]:
            wrong.append(f"{setting} is {value} for {user} from {planned.gateway}")
        if setting in _OTHER_KEYS and value != _OTHER_KEYS[setting]:
            wrong.append(f"{setting} is {value}")
        if setting == "authorizedkeysfile" and not set(value.split()) <= _KEY_FILES:
            wrong.append(f"{setting} is {value}")
    return wrong + _tried(seen["tries"], planned) + _stale(seen["sshd-age"])


def neighbour_logins(seen: Mapping[str, Sequence[str]], planned: Planned) -> list[str]:
    """Return the logins without a key that the neighbour does not refuse."""
    return _tried(seen["neighbour"], planned)


def neighbour_is_silent(seen: Mapping[str, Sequence[str]]) -> bool:
    """Return whether no login reached the neighbour."""
    lines = seen["neighbour"]
    return bool(lines) and all(" ssh: connect to host " in line for line in lines)


def _tried(lines: Sequence[str], planned: Planned) -> list[str]:
    wrong = []
    for line in lines:
        user, _, answer = line.partition(" ")
        methods = re.search(r"Permission denied \(([\w,-]+)\)", answer)
        if methods is None:
            wrong.append(f"a login of {user} without a key was not refused: {answer or 'it succeeded'}")
            continue
        allowed = {"publickey", "password", "keyboard-interactive"} if planned.password_ssh else {"publickey"}
        further = sorted(set(methods[1].split(",")) - allowed)
        wrong += [f"sshd offers {', '.join(further)} to {user}"] if further else []
    return wrong if lines else ["no login was tried"]


def _stale(lines: Sequence[str]) -> list[str]:
    """Return that sshd runs with older settings than its files have."""
    started, changed = (int(word) for word in (lines[0] if lines else "0 0").split())
    return [f"sshd's files were changed {changed - started} s after its start"] if changed > started + 1 else []


def breaks_at_next_boot(
    seen: Mapping[str, Sequence[str]], planned: Planned, sysctl: Mapping[str, str], modules: Collection[str]
) -> list[str]:
    """Return what the next boot of a guest of our seeds would lack."""
    wrong = []
    for word, title in (("ssh", "sshd"), ("net", "the network")):
        if not any(line.startswith(f"{word} enabled") for line in seen["enabled"]):
            wrong.append(f"no unit of {title} is enabled")
    settings = {re.sub(r"\s*=\s*", "=", line) for line in seen["sysctl"]}
    wrong += [f"no file sets {key} = {value}" for key, value in sysctl.items() if f"{key}={value}" not in settings]
    wrong += [f"no file loads {name}" for name in modules if name not in seen["modules"]]
    if not any(str(planned.address) in line for line in seen["network"]):
        wrong.append(f"no file of the network has {planned.address}")
    return wrong


def shadowing_programs(seen: Mapping[str, Sequence[str]], ours: Collection[str]) -> list[str]:
    """Return programs in /usr/local that hide packaged ones.

    Args:
        ours: SHA-256 digests of those that our image brings.
    """
    lines = (line.split(maxsplit=1) for line in seen["shadows"])
    return [path for digest, path in lines if digest not in ours]

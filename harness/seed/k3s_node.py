"""Files and commands that make a k3s node of a guest.

They follow k3s's documentation of an air-gap install. A unit of ours installs k3s from the
payload, starts k3s's own unit and waits until the node is ready; see
`k3s_bootstrap`, which runs in the guest. It starts at the end of each boot: a boot is not slower with k3s than without.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from harness.config.model import Role
from harness.seed.yaml_text import yaml_text

if TYPE_CHECKING:
    from harness.seed.model import K3sCluster, SeedSpec

# What a k3s node needs of the distribution; both are installed from the offline payload.
K3S_PACKAGES = ("iptables", "apparmor")
CONFIG = "/etc/rancher/k3s"
TOKEN = f"{CONFIG}/token"
PROGRAM = "/usr/local/sbin/k3s-bootstrap"
API_PORT = 6443

# udev gives a virtual device a lasting address of its own after flannel has announced another one to its neighbours.
_LINK = """\
[Match]
OriginalName=flannel*

[Link]
MACAddressPolicy=none
"""
# The reasons of a cluster that does not start lie in the boot before; after `lab.conf`, which keeps nothing.
_JOURNAL = """\
[Journal]
Storage=persistent
SyncIntervalSec=15s
SystemMaxUse=200M
"""
# As k3s's installer writes it; the unit of ours starts it.
_K3S_UNIT = """\
[Unit]
Description=Lightweight Kubernetes ({kind})
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe -a br_netfilter overlay
ExecStart=/usr/local/bin/k3s {kind}
"""
_BOOTSTRAP_UNIT = """\
[Unit]
Description=Install k3s from the payload, start it and wait until this node is ready
DefaultDependencies=no
Wants=network-online.target
After=basic.target network-online.target k8s-ops-packages.service cloud-final.service lab-boot-complete.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStartPre=-/usr/bin/journalctl --flush
ExecStart=/usr/bin/python3 -I {program} {kind} {payload} {server}
StandardOutput=journal+console
StandardError=inherit

[Install]
WantedBy=multi-user.target
"""


def k3s_unit(role: Role) -> str:
    """Return the name of k3s's own unit."""
    return "k3s" if role is Role.MASTER else "k3s-agent"


def bootstrap_unit(role: Role) -> str:
    """Return the name of the unit that installs and starts k3s."""
    return f"{k3s_unit(role)}-bootstrap"


def node_files(spec: SeedSpec, cluster: K3sCluster) -> list[dict[str, Any]]:
    """Return the files of a node, as cloud-init's `write_files` takes them."""
    kind = "server" if spec.role is Role.MASTER else "agent"
    unit = _BOOTSTRAP_UNIT.format(program=PROGRAM, kind=kind, payload=spec.paths.payload, server=cluster.server)
    program = resources.files("harness.seed").joinpath("k3s_bootstrap.py").read_text(encoding="utf-8")
    texts = {
        f"{CONFIG}/config.yaml": (config(spec, cluster), "0600"),
        f"{CONFIG}/registries.yaml": (registries(spec), "0600"),
        TOKEN: (f"{cluster.token.reveal()}\n", "0600"),
        PROGRAM: (program.replace("\r\n", "\n"), "0755"),
        f"/etc/systemd/system/{k3s_unit(spec.role)}.service": (_K3S_UNIT.format(kind=kind), "0644"),
        f"/etc/systemd/system/{bootstrap_unit(spec.role)}.service": (unit, "0644"),
        "/etc/systemd/network/10-flannel.link": (_LINK, "0644"),
        "/etc/systemd/journald.conf.d/zz-k3s.conf": (_JOURNAL, "0644"),
    }
    return [{"path": path, "permissions": mode, "content": text} for path, (text, mode) in texts.items()]


def node_commands(role: Role) -> list[list[str]]:
    """Return the commands at the end of the first boot.

    Only the AppArmor parser is wanted, which containerd calls. Loading the distribution's profiles at each boot is not.
    """
    return [
        ["systemctl", "mask", "apparmor.service"],
        ["systemctl", "daemon-reload"],
        ["systemctl", "restart", "systemd-journald.service"],
        ["udevadm", "control", "--reload"],
        ["systemctl", "enable", f"{bootstrap_unit(role)}.service"],
        ["systemctl", "start", "--no-block", f"{bootstrap_unit(role)}.service"],
    ]


def config(spec: SeedSpec, cluster: K3sCluster) -> str:
    """Return k3s's config.yaml; without a datastore in it, a server uses SQLite."""
    address = spec.address.partition("/")[0]
    node: dict[str, Any] = {"node-name": spec.machine, "node-ip": address, "token-file": TOKEN}
    if spec.role is not Role.MASTER:
        return yaml_text({"server": f"https://{cluster.server}:{API_PORT}", **node})
    server = {"tls-san": [address, spec.machine], "write-kubeconfig-mode": "0600"}
    return yaml_text({**node, **server, **({"disable": list(cluster.disable)} if cluster.disable else {})})


def registries(spec: SeedSpec, *, with_login: bool = True) -> str:
    """Return registries.yaml: the lab's registry as mirror of all registries."""
    access: dict[str, Any] = {"tls": {"ca_file": f"{spec.paths.payload}/ca.crt"}}
    if spec.registry_login is not None and with_login:
        access["auth"] = {"username": spec.registry_login.user, "password": spec.registry_login.password.reveal()}
    return yaml_text({"mirrors": {"*": {"endpoint": [f"https://{spec.registry}"]}}, "configs": {spec.registry: access}})

"""The files and command outputs that are collected of a guest.

Every guest is asked the cheap questions; one that failed is asked all.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from harness.guest.diagnosis import Source

# Of each answer the last so many bytes are kept.
LIMIT_BYTES = 4 << 20
_KUBECTL = "/usr/local/bin/k3s kubectl --request-timeout=30s"


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        name: The file of the run directory that holds the answer.
        shell: Command line of `sh` for root.
        path: The file in the guest, where the answer is one: it can be read from a stopped disk too.
        source: As what the answer is searched for known causes.
        cheap: Whether it is asked of a guest without a fault.
        slow: Whether it may be given up without taking the guest for silent: a program that takes seconds to start.
    """

    name: str
    shell: str
    path: str = ""
    source: Source | None = None
    cheap: bool = False
    slow: bool = False

    @property
    def limit_s(self) -> float:
        """The longest that the answer may take."""
        return 40.0 if self.slow else 15.0


def _file(path: str, name: str, source: Source | None = None, *, cheap: bool = False) -> Question:
    return Question(name, f"tail -c {LIMIT_BYTES} {shlex.quote(path)}", path, source, cheap)


def _ask(name: str, *commands: str, source: Source | None = None, slow: bool = False) -> Question:
    """Run several commands, each with its command line as a heading.

    A failing command does not end the others.
    """
    lines = [f"echo {shlex.quote(f'$ {command}')}; {command} 2>&1; echo" for command in commands]
    return Question(name, f"{{ {'; '.join(lines)}; }} | tail -c {LIMIT_BYTES}", source=source, slow=slow)


def _of_k3s(name: str, command: str) -> Question:
    """Ask a guest that has k3s; each of its programs takes seconds to start."""
    return Question(name, f"test -x /usr/local/bin/k3s && {{ {command} 2>&1 | tail -c {LIMIT_BYTES}; }}", slow=True)


QUESTIONS = (
    _file("/var/log/cloud-init.log", "cloud-init.log", Source.CLOUD_INIT, cheap=True),
    _file("/var/log/cloud-init-output.log", "cloud-init-output.log", Source.CLOUD_INIT, cheap=True),
    _file("/run/cloud-init/result.json", "cloud-init-result.json", cheap=True),
    _file("/run/cloud-init/status.json", "cloud-init-status.json", cheap=True),
    _file("/var/log/dpkg.log", "dpkg.log", cheap=True),
    _file("/var/log/k8s-ops-packages.log", "k8s-ops-packages.log", Source.PACKAGES),
    _file("/var/log/apt/term.log", "apt-term.log", Source.PACKAGES),
    # Of Ubuntu's installer, in a guest that it installed.
    _file("/var/log/installer/subiquity-server-debug.log", "subiquity-server-debug.log", Source.INSTALLER),
    _file("/var/log/installer/curtin-install.log", "curtin-install.log", Source.INSTALLER),
    _ask("journal.log", "journalctl -b -o short-precise --no-pager -n 20000", source=Source.JOURNAL),
    _ask(
        "network.txt",
        "ip -s address",
        "ip route",
        "ip neighbour",
        "ss -tunlp",
        "cat /etc/resolv.conf",
    ),
    _ask(
        "system.txt",
        "date -u",
        "uptime",
        "uname -a",
        "df -h",
        "free -m",
        "cat /proc/cmdline",
        "systemctl list-units --failed --no-pager",
        "systemctl list-jobs --no-pager",
        "ps -eo pid,stat,etimes,time,args",
    ),
    # A guest without k3s leaves none of these: the command fails.
    _of_k3s("k3s-journal.log", "journalctl -u k3s -u k3s-agent --no-pager -o short-precise -n 5000"),
    _of_k3s("containerd.log", "cat /var/lib/rancher/k3s/agent/containerd/containerd.log"),
    _of_k3s("k3s-objects.txt", f"{_KUBECTL} get nodes,pods,events --all-namespaces -o wide"),
    _of_k3s("k3s-nodes.txt", f"{_KUBECTL} describe nodes"),
    _ask("cloud-init-analyze.txt", "cloud-init analyze blame", "cloud-init analyze show", slow=True),
)

"""`lab kubeconfig`: the way to the cluster's API, for this host."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.built_lab import BuiltLab, built_lab
from harness.cli.options import port, report_errors, reports_option, say
from harness.cluster.kubeconfig import API_PORT, PATH, credentials_of, with_server
from harness.core.errors import GuestError, UsageError
from harness.core.files import replace_file
from harness.guest.ssh_config import SshHost
from harness.system.process import run

_HEAD = "# Written by `lab kubeconfig`: lab "
_SSH_FAILED = 255
_CONNECT_S = 20
_LIMIT_S = 90.0
_START = "start it with `pytest scenarios/`; `lab status` shows which VMs run"
_NO_K3S = "name k3s in `payload` of the lab file, then build the lab with `pytest scenarios/ --fresh`"


@click.command()
@reports_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: NAME-OF-THE-LAB.kubeconfig]",
)
@click.option(
    "--port",
    "tunnel_port",
    type=click.IntRange(1, 65535),
    default=API_PORT,
    show_default=True,
    help="Port of this host for the tunnel, where SSH is forwarded.",
)
@report_errors
def kubeconfig(reports: Path, output: Path | None, tunnel_port: int) -> None:
    """Fetch the kubeconfig of the lab's cluster.

    It is read from the master over SSH, and written to a file that only you may read. It holds the key of the cluster's
    administrator, so nothing of it is printed. Its server is the master's address; where SSH is forwarded, it is a port
    of this host, and the command that opens the tunnel is printed.
    """
    lab = built_lab(reports)
    host, machine = lab.master
    target = output or Path(f"{lab.run.lab}.kubeconfig")
    _refuse(target, lab, reports)
    # Where SSH is forwarded, the host does not reach the address of the VM.
    tunnel = None if host.host == machine.address else tunnel_port
    text = _read(lab, host)
    try:
        credentials_of(text)
        text = with_server(text, machine.address, lab.run.lab, tunnel)
    except ValueError as error:
        raise GuestError(f"{PATH} is not whole: {error}", where=host.name, remedy=_START) from error
    replace_file(target, f"{_HEAD}{lab.run.lab}\n{text}".encode(), mode=0o600)
    say(str(target))
    if tunnel is not None:
        say(f"open the tunnel: lab ssh {host.name} -N -L {tunnel}:{machine.address}:{API_PORT}")
    say(f"then: kubectl --kubeconfig {target} get nodes")


def _refuse(target: Path, lab: BuiltLab, reports: Path) -> None:
    """Refuse a file of others, and one that would be published with the report.

    Raises:
        UsageError: Which, and what to do.
    """
    remedy = "give another file with --output"
    if target.resolve().is_relative_to(reports.resolve()):
        raise UsageError("reports are published, and a kubeconfig is secret", where=str(target), remedy=remedy)
    if not target.exists():
        return
    with target.open("rb") as stream:
        head = stream.readline(1000).decode("utf-8", "replace").strip()
    if head != f"{_HEAD}{lab.run.lab}":
        raise UsageError("the file exists, and this command did not write it", where=str(target), remedy=remedy)


def _read(lab: BuiltLab, host: SshHost) -> str:
    """Return the master's kubeconfig.

    Raises:
        GuestError: The master does not answer, or has none.
    """
    # `sudo -n` fails where it would ask for a password.
    command = f"sudo -n test -e {PATH} && sudo -n cat {PATH}"
    options = ("-F", str(lab.files.ssh_config), "-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_S}")
    done = port(run)(["ssh", *options, host.name, command], timeout_s=_LIMIT_S)
    if done.returncode == 0:
        return done.stdout
    # Only the messages are shown: the output may hold the key.
    message = done.stderr.strip()
    if done.returncode == _SSH_FAILED:
        raise GuestError("SSH does not reach the VM", where=host.name, detail=message, remedy=_START)
    if message:
        remedy = f"try it with `lab ssh {host.name} {command.partition(' && ')[0]}`"
        raise GuestError(f"{PATH} cannot be read", where=host.name, detail=message, remedy=remedy)
    raise GuestError(f"no k3s is installed: there is no {PATH}", where=host.name, remedy=_NO_K3S)

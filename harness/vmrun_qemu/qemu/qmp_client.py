"""One QMP session through QEMU's own client library.

Only `qmp` imports this module, when it asks QEMU something: the library and `asyncio` take 65 ms to load.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from qemu.qmp import ConnectError, ExecInterruptedError, ExecuteError, QMPClient

from harness.vmrun_qemu.base.endpoint import Endpoint

# The client library logs each lost connection, and asyncio what is left after a timeout: here both are return values.
logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL + 1)
logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)


class CommandError(Exception):
    """QEMU refused a command; the text is its own."""


def run_session(endpoint: Endpoint, commands: Sequence[tuple[str, Mapping[str, Any]]], timeout_s: float) -> list[Any]:
    """Return QEMU's answers to the commands, sent in one session.

    Raises:
        CommandError: QEMU refused a command; the later ones were not sent.
        TimeoutError: `timeout_s` seconds have passed.
        ConnectionError: QEMU cannot be reached.
    """
    try:
        return asyncio.run(asyncio.wait_for(_session(endpoint, commands), timeout_s))
    except TimeoutError:
        raise
    except ExecuteError as error:
        raise CommandError(str(error)) from error
    except (ConnectError, ExecInterruptedError, EOFError, OSError) as error:
        raise ConnectionError(str(error)) from error


async def _session(endpoint: Endpoint, commands: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    client = QMPClient("vmrun-qemu")
    await client.connect(endpoint.host_port if endpoint.is_tcp else endpoint.text)
    try:
        return [await client.execute(name, dict(arguments)) for name, arguments in commands]
    finally:
        try:
            await client.disconnect()
        except (EOFError, OSError, ConnectError):
            logging.getLogger(__name__).debug("QEMU closed the connection first")

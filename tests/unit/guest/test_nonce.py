from __future__ import annotations

import pytest

from harness.guest.nonce import nonce_of, parse_reading

SERIAL = "VMware-56 4d 0a 1b 2c 3d 4e 5f-60 71 82 93 a4 b5 c6 d7"
NONCE = "564d0a1b2c3d4e5f60718293a4b5c6d7"


def test_the_serial_number_is_the_nonce() -> None:
    assert nonce_of(SERIAL) == nonce_of(SERIAL.upper().replace("VMWARE", "VMware")) == NONCE


@pytest.mark.parametrize(
    "serial", ["", "0", "Not Specified", NONCE, SERIAL[:-3], SERIAL + " 00", f"X{SERIAL}", SERIAL.replace("4d", "zz")]
)
def test_another_serial_number_is_no_nonce(serial: str) -> None:
    assert nonce_of(serial) == ""


def test_boot_and_machine_come_from_one_command() -> None:
    answer = parse_reading(f"1b4e28ba\n{SERIAL}\n")
    assert (answer.boot_id, answer.nonce) == ("1b4e28ba", NONCE)


@pytest.mark.parametrize("text", ["", "1b4e28ba\n", "\n"])
def test_half_an_answer_names_no_machine(text: str) -> None:
    assert parse_reading(text).nonce == ""

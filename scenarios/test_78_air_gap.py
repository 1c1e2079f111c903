"""Air gap: each guest reaches its registry and its neighbours and nothing else; the host's record says the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("air-gap"), pytest.mark.usefixtures("machine_name")]


def test_registry_answers_with_a_verified_certificate(prove: Callable[[str], None]) -> None:
    prove("registry answers with a verified certificate")


def test_image_is_pulled_from_the_registry(prove: Callable[[str], None]) -> None:
    prove("image pulled")


def test_neighbours_answer(prove: Callable[[str], None]) -> None:
    prove("peers answer")


@pytest.mark.parametrize("way", ["DNS", "TCP", "UDP", "ICMP", "NTP"])
def test_no_way_out(prove: Callable[[str], None], way: str) -> None:
    prove(f"no {way}")


def test_nothing_left_the_network(prove: Callable[[str], None]) -> None:
    prove("nothing left the network")

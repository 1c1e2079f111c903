from __future__ import annotations

import pytest

from harness.core.errors import HostError, VmrunError
from harness.vmrun import errors


@pytest.mark.parametrize("kind", errors.MappedError.__subclasses__())
def test_each_class_has_a_meaning_and_a_remedy(kind: type[errors.MappedError]) -> None:
    assert kind.__doc__
    assert len(kind.advice) > 10


def test_every_failure_of_vmrun_is_one_of_the_host() -> None:
    assert issubclass(errors.MappedError, VmrunError)
    assert issubclass(errors.MappedError, HostError)


def test_numbers_of_the_message_catalogue_are_unique() -> None:
    numbers = [kind.vix for kind in errors.MappedError.__subclasses__() if kind.vix is not None]
    assert len(numbers) == len(set(numbers))

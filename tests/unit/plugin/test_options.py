from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.config.argparsing import Parser

from harness.config.model import Keep
from harness.lab.resume.decision import ResumeMode
from harness.plugin.options import CONVERGE, FRESH, KEEP, RESUME, REUSE, add_options


@pytest.fixture
def parser() -> Parser:
    parser = Parser(_ispytest=True)
    add_options(parser)
    return parser


def test_without_options_the_lab_file_decides(parser: Parser) -> None:
    given = parser.parse_known_args([])
    assert (given.lab, given.overlay, given.vmrun, given.keep, given.reports) == (None,) * 5
    assert given.again == ResumeMode.CONVERGE


@pytest.mark.parametrize("mode", [ResumeMode.RESUME, ResumeMode.REUSE, ResumeMode.FRESH])
def test_each_way_to_continue_is_an_option_of_its_name(parser: Parser, mode: ResumeMode) -> None:
    assert parser.parse_known_args([f"--{mode.value}"]).again == mode


def test_files_are_paths(parser: Parser) -> None:
    given = parser.parse_known_args(["--lab", "my.yaml", "--reports", "out"])
    assert (given.lab, given.reports) == (Path("my.yaml"), Path("out"))


def test_only_a_keep_policy_is_accepted(parser: Parser) -> None:
    for keep in Keep:
        assert parser.parse_known_args([f"--keep={keep.value}"]).keep == keep
    with pytest.raises(pytest.UsageError, match="sometimes"):
        parser.parse_known_args(["--keep=sometimes"])


def test_the_values_are_those_of_the_types_that_read_them() -> None:
    assert set(KEEP) == set(Keep)
    assert {CONVERGE, RESUME, REUSE, FRESH} == set(ResumeMode)


def test_the_options_are_a_group_of_their_own(parser: Parser) -> None:
    assert {option.dest for option in parser.getgroup("lab").options} == {
        "lab",
        "overlay",
        "vmrun",
        "keep",
        "again",
        "reports",
    }

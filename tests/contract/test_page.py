"""`docs/vmrun.md` says what the tests and tables say."""

from __future__ import annotations

from vmrun_contract.page import PAGE, page, unknown_verbs


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: pytest tests/contract --write-page"


def test_every_verb_that_a_test_names_is_in_the_table() -> None:
    assert unknown_verbs() == set()

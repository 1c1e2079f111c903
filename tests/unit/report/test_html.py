"""The page, read with an HTML parser."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

import pytest
from report_samples import MACHINES, case, events_of, failing, kept, passing, replaced, static, verdicts

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.report.html import render
from harness.results import journal_events
from harness.results.model import EvidenceFile, Outcome, RunResult
from harness.results.replay import from_events

WORKER = "k3s-worker1"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %} ]]> -gp hunter2 \x1b[31m\x00"
VOID = {"meta", "link", "img", "br", "hr", "input", "line", "rect"}


class Page(HTMLParser):
    """Structure of a page; fails on tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.cells: dict[tuple[str, str], str] = {}
        self._open: list[str] = []
        self._cell: tuple[str, str] | None = None
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in VOID or tag == "rect":
            self._open.append(tag)
        if "data-phase" in found:
            self._cell = (found["data-machine"], found["data-phase"])
            self.cells[self._cell] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID and tag != "rect":
            return
        assert self._open.pop() == tag
        if tag == "td":
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)
        if self._cell is not None:
            self.cells[self._cell] += data

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, *tags: str) -> str:
        return " ".join(part for tag in tags or self.texts for part in self.texts.get(tag, []))


def failed_run(status: Status = Status.FAIL, seen: str = "no such file") -> RunResult:
    found = replaced(verdicts(), WORKER, Phase.ISO_COPY, failing(status, seen))
    events = events_of(found, exit_status=None, tests=(case(Outcome.FAILED, reason="AssertionError: fail"),))
    end = {"t": 210.0, "at": "2026-01-12T09:33:30+00:00", "kind": "run-end", **journal_events.run_end(1, kept())}
    return from_events([*events, end])


def hostile_run() -> RunResult:
    check = Check(HOSTILE, Status.FAIL, HOSTILE, HOSTILE, HOSTILE, (HOSTILE, "javascript:alert(1)", "../../etc/x"))
    machines = tuple(dataclasses.replace(item, role=HOSTILE, facts={HOSTILE: HOSTILE}) for item in static().machines)
    found = [Verdict(Phase.BOOT, WORKER, (check,), 1.0, 2.0), Verdict(Phase.BOOT, HOSTILE, (passing(),), 1.0, 2.0)]
    run = dataclasses.replace(
        static(),
        run_id=HOSTILE,
        lab=HOSTILE,
        machines=machines,
        notes=(HOSTILE,),
        exit_status=1,
        argv=(HOSTILE,),
        evidence=(EvidenceFile(HOSTILE, WORKER), EvidenceFile("https://example.invalid/x", WORKER)),
        kept=tuple(dataclasses.replace(item, enter=HOSTILE) for item in kept().kept),
        tests=(case(Outcome.FAILED, HOSTILE, HOSTILE),),
    )
    return from_events(
        [*events_of(found, run=run, exit_status=None), {"t": 9.0, "kind": "run-end", **journal_events.run_end(1, run)}]
    )


@pytest.mark.parametrize("status", list(Status))
def test_each_machine_and_phase_has_its_cell_with_a_word(status: Status) -> None:
    page = Page(render(failed_run(status)))
    assert set(page.cells) == {(name, phase.value) for name in ("whole lab", *MACHINES) for phase in Phase}
    words = {"fail": "FAIL", "error": "ERROR", "not-proven": "NOT PROVEN", "not-asked": "pass"}
    assert words.get(status.value, status.value) in page.cells[WORKER, "iso-copy"]
    assert ("blocked" if status.stops else "pass") in page.cells[WORKER, "cluster"]
    assert "whole lab" in page.cells[WORKER, "environment"]


def test_the_verdict_is_first_and_names_cause_and_remedy() -> None:
    text = render(failed_run(), {f"{WORKER}/serial-1.log": "line\n" * 50 + "[31.2] Failed to start copy.service\n"})
    page = Page(text)
    assert page.texts["h1"] == [
        "FAILED: iso-copy of k3s-worker1: every payload file is as in the manifest: no such file"
    ]
    first_screen = text[text.index("<body>") : text.index('id="phases"')]
    for wanted in (
        WORKER,
        "41 files, each with",
        "no such file",
        "<code>lab seed</code>",
        "Failed to start copy.service",
    ):
        assert wanted in first_screen
    assert text.index('id="cause"') < text.index('class="tiles"') < text.index('id="claims"')
    assert (
        text.index('id="claims"') < text.index('id="phases"') < text.index('id="checks"') < text.index('id="timeline"')
    )
    assert text.index('id="timeline"') < text.index('id="environment"') < text.index('id="failures"')


def test_a_console_that_the_check_quotes_is_not_shown_twice() -> None:
    log = {f"{WORKER}/serial-1.log": "line\n" * 50 + "---[ end Kernel panic ]---\n"}
    first_screen = render(failed_run(seen="kernel panic\n---[ end Kernel panic ]---"), log).partition('id="phases"')[0]
    assert first_screen.count("---[ end Kernel panic ]---") == 1
    assert "end of its console" not in first_screen


def test_a_screen_is_a_picture_in_the_page() -> None:
    run = failed_run()
    run = dataclasses.replace(run, evidence=(*run.evidence, EvidenceFile(f"{WORKER}/screen.png", WORKER)))
    page = Page(render(run, pictures={f"{WORKER}/screen.png": b"PNG"}))
    assert [item["src"] for item in page.of("img")] == ["data:image/png;base64,UE5H"]
    policy = next(item["content"] for item in page.of("meta") if "http-equiv" in item)
    assert "img-src data:;" in policy


def test_what_comes_next_is_on_the_page() -> None:
    run = from_events(events_of(verdicts()))
    assert 'id="next"' not in render(run)
    page = Page(render(dataclasses.replace(run, kept=kept().kept)))
    assert {"lab ssh k3s-worker1", "lab down"} <= set(page.texts["code"])


def test_the_logs_of_a_machine_are_shown_once() -> None:
    found = replaced(verdicts(), WORKER, Phase.CREATION, failing())
    again = Verdict(Phase.GUESTS, WORKER, (failing(),), 160.0, 170.0)
    run = from_events(events_of([*found, again], exit_status=1))
    page = Page(render(run, {f"{WORKER}/serial-1.log": "first line\n" + "line\n" * 50}))
    assert page.text("summary").count("End of serial-1.log") == 1
    assert page.text("pre").count("first line") == 1


def test_evidence_in_the_machine_directory_is_linked_where_it_was_copied() -> None:
    check = Check("ssh login", Status.FAIL, "a login", "none", "", ("F:\\VMs\\w\\serial-1.log", "/vms/w/other.log"))
    found = replaced(verdicts(), WORKER, Phase.BOOT, check)
    page = Page(render(from_events(events_of(found))))
    links = [item["href"] for item in page.of("a")]
    assert links.count(f"./{WORKER}/serial-1.log") >= 2
    assert "/vms/w/other.log" in page.texts["code"]


def test_a_cut_off_phase_and_phases_not_run_are_loud() -> None:
    events = [item for item in events_of(verdicts(), exit_status=None) if item["t"] < 116]
    page = Page(render(from_events(events)))
    assert "CUT OFF" in page.cells["k3s-worker2", "cloud-init"]
    assert "not run" in page.cells["k3s-worker2", "packages"]
    assert page.text("h1").startswith("INCOMPLETE")
    assert "machines may still run" in page.text("strong")


def test_not_proven_is_as_loud_as_failed() -> None:
    page = Page(render(failed_run(Status.NOT_PROVEN)))
    marks = [item["class"] for item in page.of("span") if item.get("class", "").startswith("mark")]
    assert marks.count("mark not-proven") >= 3  # the list on top, the table, the checks
    opened = [item.get("id") for item in page.of("details") if "open" in item and "group" in item.get("class", "")]
    assert opened == ["checks-iso-copy"]


@pytest.mark.parametrize("run", [failed_run(), hostile_run(), RunResult(), from_events(events_of([]))])
def test_the_page_needs_nothing_from_elsewhere(run: RunResult) -> None:
    page = Page(render(run))
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("href", "src", "action", "xlink:href"):
            assert re.match(r"#|\./|$", attributes.get(name, "")), attributes


def test_the_policy_allows_only_what_is_in_the_page() -> None:
    text = render(hostile_run())
    policy = next(item["content"] for item in Page(text).of("meta") if "http-equiv" in item)
    assert policy.startswith("default-src 'none';")
    for tag in ("script", "style"):
        blocks = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(blocks) == 1
        digest = base64.b64encode(hashlib.sha256(blocks[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_text_stays_text() -> None:
    text = render(hostile_run(), {f"{WORKER}/serial-1.log": HOSTILE * 20})
    page = Page(text)
    assert "alert(1)" in page.text("h1")
    assert len(page.of("script")) == 1
    assert page.of("img") == []
    assert "49" not in page.text("h1")
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert "\x00" not in text
    assert 'href="javascript' not in text
    assert "../../etc/x" in page.text("code")


def test_no_secret_is_on_the_page() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n"
    run = dataclasses.replace(failed_run(seen=key), notes=(key,), argv=("vmrun -gp hunter2",))
    text = render(run, {f"{WORKER}/serial-1.log": "c2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\nlater\n"})
    assert "c2VjcmV0" not in text
    assert "hunter2" not in text
    assert "later" in text


def test_a_large_run_stays_small() -> None:
    big = "<&\"'" * 1_250_000
    checks = tuple(Check(f"check {index}", Status.FAIL, big[:50_000], big[:50_000], "x") for index in range(30))
    found = [Verdict(phase, name, checks, 1.0, 2.0) for phase in Phase for name in MACHINES]
    run = dataclasses.replace(
        failed_run(),
        verdicts=tuple(found),
        tests=tuple(case(Outcome.FAILED, f"test_{index}", big[:20_000]) for index in range(200)),
    )
    text = render(run, {f"{name}/serial-1.log": big for name in MACHINES})
    assert len(text.encode()) < 2_000_000
    assert "characters left out" in text


def test_tables_have_headers_and_every_section_a_heading() -> None:
    page = Page(render(failed_run()))
    assert all(item.get("scope") in {"col", "row"} for item in page.of("th"))
    identifiers = [item["id"] for _, item in page.tags if "id" in item]
    assert len(identifiers) == len(set(identifiers))
    for item in page.of("section"):
        assert item["aria-labelledby"] in identifiers
    for item in page.of("a"):
        if item["href"].startswith("#"):
            assert item["href"][1:] in identifiers
    assert len(page.of("h1")) == 1


def test_a_check_is_not_called_a_claim() -> None:
    text = render(failed_run())
    assert "laim" not in text[text.index('<section id="checks"') : text.index('<section id="timeline"')]
    assert "laim" not in text[text.index('<section id="failures"') : text.index('<section id="evidence"')]


def test_the_timeline_has_a_lane_for_the_lab_and_each_machine_and_a_title_for_each_bar() -> None:
    run = failed_run()
    text = render(run)
    page = Page(text)
    bars = [item for item in page.of("rect") if item["class"] == "bar"]
    assert len(bars) == len(run.spans)
    assert all(float(item["x"]) >= 0 and float(item["x"]) + float(item["width"]) <= 1000 for item in bars)
    titles = page.text("title")
    assert "k3s-worker1: iso-copy: fail" in titles
    assert "k3s-worker1: disk-written\n8.0 s, from 1 min 02 s to 1 min 10 s\nbytes=1073741824" in titles
    assert re.findall(r'class="lane"[^>]*>([^<]*)<', text) == ["lab", *MACHINES]


def test_what_is_left_behind_says_how_to_get_in_and_how_to_remove_it() -> None:
    page = Page(render(failed_run()))
    assert "ssh -F reports/2026-01-12T09-30-00/ssh_config k3s-worker1" in page.texts["code"]
    assert "lab down" in page.texts["code"]
    nothing = Page(render(from_events(events_of(verdicts()))))
    assert "No machine was left behind." in nothing.text("p")


def test_inputs_are_shown_with_their_hashes() -> None:
    page = Page(render(failed_run()))
    shown = page.text("td", "dd", "code")
    for wanted in ("ab" * 32, "1c" * 32, "1d" * 32, "seed-worker1.iso", "tcg", "pytest 9.0.3", "small-host"):
        assert wanted in shown


def test_what_is_not_required_is_readable_on_the_verdict() -> None:
    style = re.search(r"\.verdict \.soft \{ color: inherit;", render(failed_run()))
    assert style is not None, "grey on green has no contrast"

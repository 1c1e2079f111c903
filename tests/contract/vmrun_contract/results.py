"""Results of a run: answers to open questions, outcomes, transcripts."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path

from harness.system import process
from harness.vmrun.discovery import Hypervisor
from vmrun_contract import transcript
from vmrun_contract.bench import DISK_TOOL, Bench
from vmrun_contract.live import LiveBench
from vmrun_contract.questions import QUESTIONS
from vmrun_contract.transcript import Entry, Transcript


class Results:
    """Collects what benches leave."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, set[str]]] = {}
        self._sections: dict[str, tuple[Entry, ...]] = {}
        self._live = ""
        self._usage = ""
        self._guest = "linux"
        self._surprises: list[str] = []

    def take(self, bench: Bench, test: str) -> None:
        """Keep the answers of a bench, and the transcript of a live one."""
        for question, reading in bench.settled:
            self._answers.setdefault(question, {}).setdefault(bench.name, set()).add(reading)
        if isinstance(bench, LiveBench):
            self._live = bench.name
            self._guest = bench.guest_system
            self._sections[test] = bench.condensed()

    def surprise(self, line: str, seen: str) -> None:
        """Keep a line of behaviour that a `vmrun` contradicts.

        It is kept with the first line of what was seen.
        """
        self._surprises.append(f"{line}: {seen.splitlines()[0] if seen else ''}")

    def missing_verbs(self, hypervisor: Hypervisor, verbs: Sequence[str]) -> list[str]:
        """Return the verbs that the usage text of that `vmrun` lacks."""
        if not self._usage:
            self._usage = process.run(hypervisor.vmrun_argv, timeout_s=60, env=hypervisor.env).stdout
        known = {line.split()[0].lower() for line in self._usage.splitlines() if line.strip()}
        return [verb for verb in verbs if verb != DISK_TOOL and verb.lower() not in known]

    def summary(self) -> list[str]:
        """Return one line per question that was answered, and what is left."""
        if not self._answers:
            return []
        lines = []
        for question, by_bench in sorted(self._answers.items()):
            seen = "; ".join(f"{bench}: {' | '.join(sorted(texts))}" for bench, texts in sorted(by_bench.items()))
            lines.append(f"{question:<24} {seen}")
        return [*lines, f"not settled: {', '.join(sorted(set(QUESTIONS) - set(self._answers))) or 'nothing'}"]

    def write(self, folder: Path) -> list[Path]:
        """Write `answers.json`, `answers.md` and the live transcript; return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        live = {question: sorted(found[self._live]) for question, found in self._answers.items() if self._live in found}
        source = self._usage.strip().splitlines()[0] if self._usage.strip() else "unknown"
        host = f"{platform.system()} {platform.release()}"
        written = Transcript(f"{self._live}, {source}, {host}", platform_name(), "T", self._guest, self._sections)
        document = {"vmrun": source, "host": host, "answers": live, "surprises": self._surprises}
        files = {
            "answers.json": json.dumps(document, indent=2) + "\n",
            "answers.md": _markdown(source, host, live, self._surprises),
            "transcript.txt": transcript.render(written),
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return [folder / name for name in files]


def platform_name() -> str:
    """Return this host as `sys.platform` calls it."""
    return {"Windows": "win32", "Darwin": "darwin"}.get(platform.system(), "linux")


def _markdown(source: str, host: str, answers: dict[str, list[str]], surprises: Sequence[str]) -> str:
    rows = []
    for name, question in QUESTIONS.items():
        seen = answers.get(name)
        shown = " / ".join(question.readings.get(text, f"`{text}`") for text in seen) if seen else "not asked"
        rows.append(f"| {name} | {question.text} | {shown} |")
    table = ["| | question | answer |", "|---|---|---|", *rows]
    others = [f"- {text}" for text in surprises] or ["- nothing"]
    parts = [f"# {source}", "", f"On {host}.", "", *table, "", "Other than expected:", "", *others, ""]
    return "\n".join(parts)

"""`run.json`: written with its conclusions, read back strictly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.core.claims import Judgement
from harness.core.errors import UsageError
from harness.core.json_text import parse_json
from harness.core.verdict import Verdict
from harness.results.conclusion import headline, overall
from harness.results.model import SCHEMA_VERSION, RunResult
from harness.results.plain_text import plain_tree

T = TypeVar("T")

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
# A configuration reaches a plain dataclass, and those inside it, only through a container.
_RUN = TypeAdapter(tuple[RunResult], config=_STRICT)
_VERDICT = TypeAdapter(tuple[Verdict], config=_STRICT)
_CONCLUSIONS = ("schema_version", "overall", "headline", "claims")
_REMEDY = "make it again from events.jsonl with `lab report <run directory>`"


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON: its fields and the derived `status`."""
    return {**dataclasses.asdict(verdict), "status": verdict.status}


def verdict_from_dict(data: dict[str, Any]) -> Verdict:
    """Return the verdict of that JSON form.

    Raises:
        UsageError: A field is missing, unknown or of another type, or the status is not what the checks say.
    """
    fields = {key: value for key, value in data.items() if key != "status"}
    verdict = _validate(_VERDICT.validate_json, fields, "a verdict")
    if data.get("status") != verdict.status.value:
        raise UsageError(
            f"the verdict says {data.get('status')!r}, its checks say {verdict.status.value!r}", remedy=_REMEDY
        )
    return verdict


def run_from_dict(data: dict[str, Any]) -> RunResult:
    """Return the result of a JSON form that has no conclusions.

    Raises:
        UsageError: A field is unknown or of another type.
    """
    return _validate(_RUN.validate_json, data, "a run")


def run_to_dict(run: RunResult) -> dict[str, Any]:
    """Return the fields of a result as JSON values, redacted, without conclusions."""
    data: dict[str, Any] = plain_tree(dataclasses.asdict(run))
    return data


def to_json(run: RunResult) -> str:
    """Return the redacted text of `run.json`: version, conclusions, then every field."""
    return json.dumps(_document(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(run: RunResult) -> dict[str, Any]:
    data = run_to_dict(run)
    printed = run_from_dict(data)
    for verdict, item in zip(printed.verdicts, data["verdicts"], strict=True):
        item["status"] = verdict.status
    head = {"schema_version": SCHEMA_VERSION, "overall": overall(printed), "headline": headline(printed)}
    return {**head, "claims": [_claim(item) for item in printed.claims], **data}


def _claim(item: Judgement) -> dict[str, Any]:
    passed, total = item.checks
    return {
        "claim": item.claim.value,
        "title": item.title,
        "standing": item.standing.value,
        "asked": item.asked,
        "required": item.required,
        "why": list(item.why),
        "checks_passed": passed,
        "checks": total,
        "evidence": list(item.evidence),
        "carried_from": list(item.carried_from),
    }


def from_json(text: str) -> RunResult:
    """Return the result that `to_json` wrote.

    Raises:
        UsageError: It is no `run.json` of this version, a field is missing, unknown or of another type, or its
            conclusions do not follow from its facts.
    """
    try:
        document = parse_json(text)
    except ValueError as error:
        raise UsageError(f"run.json is not JSON: {error}", remedy=_REMEDY) from error
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(f"run.json is not of schema version {SCHEMA_VERSION}", remedy=_REMEDY)
    data = {key: value for key, value in document.items() if key not in _CONCLUSIONS}
    verdicts = data.pop("verdicts", [])
    if not isinstance(verdicts, list) or not all(isinstance(item, dict) for item in verdicts):
        raise UsageError("run.json: verdicts: expected a list of objects", remedy=_REMEDY)
    run = run_from_dict(data)
    run = dataclasses.replace(run, verdicts=tuple(verdict_from_dict(item) for item in verdicts))
    written = _document(run)
    differing = sorted(key for key in {*written, *document} if written.get(key) != document.get(key))
    if differing:
        raise UsageError(
            f"run.json was changed or is not whole: {', '.join(differing)} is not what follows from its facts",
            remedy=_REMEDY,
        )
    return run


def _validate(read: Callable[[str], tuple[T]], data: dict[str, Any], what: str) -> T:
    try:
        return read(json.dumps([data], default=str))[0]
    except (ValidationError, ValueError) as error:
        problems = str(error)
        if isinstance(error, ValidationError):
            problems = "\n".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors())
        raise UsageError(f"this is not {what} as this version writes it", detail=problems, remedy=_REMEDY) from error

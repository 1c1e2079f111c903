"""Read a lab file: overlay, types, then the rules between values.

All problems are reported together.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.config import yaml_nodes as yaml_tree
from harness.config.guest_rules import guest_problems
from harness.config.model import UBUNTU_INSTALLER, LabSpec, Reach, SeedSource
from harness.config.path_rules import Broken, path_problems
from harness.config.payload_spec import duplicate_names
from harness.core.errors import ConfigError
from harness.core.files import read_regular_file
from harness.core.secret import MASK

EMBEDDED_OVERLAY = "embedded"
K3S_OVERLAY = "k3s"
WITH_K3S = f"{EMBEDDED_OVERLAY},{K3S_OVERLAY}"
_LONGEST_SHOWN = 200  # characters of a wrong value
_LARGEST_BYTES = 1 << 20  # of a lab file
MOST_BUILT_DISK_GIB = 2048  # a master boot record counts sectors of 512 bytes with 32 bits

# The texts for pydantic's error types, in the terms of a YAML file.
_TEXTS = {
    "missing": "missing key",
    "int_type": "expected an integer, got {input}{hint}",
    "int_parsing": "expected an integer, got {input}{hint}",
    "string_type": "expected text, got {input}; put it in quotes",
    "bool_type": "expected true or false, got {input}",
    "greater_than_equal": "expected a value >= {ge}, got {input}",
    "less_than_equal": "expected a value <= {le}, got {input}",
    "multiple_of": "expected a multiple of {multiple_of}, got {input}",
    "string_pattern_mismatch": "{input} does not have the form {pattern}",
    "value_error": "{error}",
    "literal_error": "expected {expected}, got {input}",
    "enum": "expected {expected}, got {input}",
    "model_type": "expected a mapping of keys, got {input}",
    "model_attributes_type": "expected a mapping of keys, got {input}",
    "dict_type": "expected a mapping of keys, got {input}",
    "too_short": "expected at least {min_length}, got {input}; null or no key at all means the default",
    "tuple_type": "expected a list, got {input}",
}


def load_lab(path: Path, overlay: str | None = None, *, platform: str | None = None) -> LabSpec:
    """Return the lab of a file with an overlay applied.

    Args:
        path: The lab file.
        overlay: One of its overlays, or several with commas between: each is applied to what the ones before
            made. `k3s` gives only values that the others leave open.
        platform: As `sys.platform`: the host for which its paths have to be valid; None where they are not used.

    Raises:
        ConfigError: No such file or overlay, not YAML, or any rule broken; the text lists every problem.
    """
    return build(read(path), path, overlay, platform)


def read(path: Path) -> str:
    """Return the lab file's text.

    Raises:
        ConfigError: There is no such file, or it is not UTF-8 text.
    """
    try:
        return read_regular_file(path, _LARGEST_BYTES).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError as error:
        raise ConfigError(
            "no lab file here", where=str(path), remedy="give one with --lab, or use scenarios/lab.yaml"
        ) from error
    except (OSError, ValueError) as error:  # a path with NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        remedy = "give a file, saved as UTF-8"
        raise ConfigError(
            f"cannot read the lab file: {reason}", where=str(path).replace("\0", "\\0"), remedy=remedy
        ) from error


def build(text: str, path: Path, overlay: str | None = None, platform: str | None = None) -> LabSpec:
    """Return the lab of a text; `path` names it in errors.

    Raises:
        ConfigError: As `load_lab`.
    """
    root = _compose(text, str(path))
    for name in overlay.split(",") if overlay is not None else ():
        root = _with_overlay(root, name.strip(), path)
    try:
        spec = LabSpec.model_validate_json(json.dumps(yaml_tree.plain(root)))
    except ValidationError as error:
        raise _problems(path, (_explain(root, dict(item)) for item in error.errors(include_url=False))) from error
    rules = [
        *_rules(spec),
        *_built_rules(spec),
        *_ubuntu_rules(spec),
        *_payload_rules(spec),
        *guest_problems(spec),
        *path_problems(spec, platform),
    ]
    broken = [yaml_tree.Problem(*yaml_tree.locate(root, loc), f"{_dotted(loc)}: {text}") for loc, text in rules]
    named = {(problem.line, problem.column) for problem in broken}
    broken += [one for one in yaml_tree.control_characters(root) if (one.line, one.column) not in named]
    if broken:
        raise _problems(path, broken)
    return spec


@lru_cache(maxsize=1)
def _compose(text: str, name: str) -> yaml_tree.MappingNode:
    """Return the nodes of a lab file.

    They are cached: a file is read with and without its overlay, and nothing changes the nodes.
    """
    return yaml_tree.compose(text, name)


def lab_schema() -> str:
    """Return the JSON Schema of a lab file as text; ends with a newline."""
    return json.dumps(LabSpec.model_json_schema(), indent=2, sort_keys=True) + "\n"


def _with_overlay(root: yaml_tree.MappingNode, overlay: str, path: Path) -> yaml_tree.MappingNode:
    overlays = yaml_tree.child(root, "overlays")
    known = [str(k.value) for k, _ in overlays.value] if isinstance(overlays, yaml_tree.MappingNode) else []
    over = yaml_tree.child(overlays, overlay) if isinstance(overlays, yaml_tree.MappingNode) else None
    if not isinstance(over, yaml_tree.MappingNode):
        line, column = yaml_tree.locate(root, ("overlays",))
        raise ConfigError(
            f"no overlay named {overlay}; there are: {', '.join(known) or 'none'}",
            where=f"{path}:{line}:{column}",
            remedy=f"add `overlays: {{{overlay}: …}}` to the lab file",
        )
    return yaml_tree.fill(root, over) if overlay == K3S_OVERLAY else yaml_tree.merge(root, over)


def _problems(path: Path, problems: Any) -> ConfigError:
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    count = len(ordered)
    lines = [f"{path}:{problem.line}:{problem.column}: {problem.text}" for problem in ordered]
    head = "the lab file has a problem" if count == 1 else f"the lab file has {count} problems"
    return ConfigError("\n".join([head, *lines]), remedy="correct the lab file; nothing was created or deleted")


def _explain(root: yaml_tree.Node, error: dict[str, Any]) -> yaml_tree.Problem:
    loc: Sequence[str | int] = error["loc"]
    kind = error["type"]
    if kind == "extra_forbidden":
        line, column = yaml_tree.locate(root, loc, key=True)
        return yaml_tree.Problem(line, column, f"{_dotted(loc)}: unknown key{_did_you_mean(loc)}")
    line, column = yaml_tree.locate(root, loc)
    shown = (
        MASK
        if loc[:1] == ("tools",) or loc[:2] == ("registry", "login")
        else json.dumps(error.get("input"), ensure_ascii=False)
    )
    shown = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "…"
    template = _TEXTS.get(kind)
    if template is None:
        text = f"{error['msg']} (got {shown})"
    else:
        hint = _integer_hint(error.get("input"), str(loc[-1]))
        text = template.format(**{**error.get("ctx", {}), "input": shown, "hint": hint})
    return yaml_tree.Problem(line, column, f"{_dotted(loc)}: {text}")


def _integer_hint(value: object, key: str) -> str:
    """Return a hint such as `; write 4096`, or nothing.

    A text such as `4 GB` under a key in MiB gets one, and an integer with leading zeros.
    """
    match = re.fullmatch(r"\s*0*(\d+)\s*(?:([GgMm])(?:i?[Bb])?)?\s*", value) if isinstance(value, str) else None
    if match is None:
        return ""
    unit = (match[2] or "").lower()
    if unit and unit != ("g" if key.endswith("_gib") else "m") and not key.endswith("_mib"):
        return ""
    return f"; write {int(match[1]) * (1024 if unit == 'g' and key.endswith('_mib') else 1)}"


def _dotted(loc: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in loc)


def _did_you_mean(loc: Sequence[str | int]) -> str:
    model: Any = LabSpec
    for part in loc[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = _model_of(field.annotation) if field is not None else model
    names = list(getattr(model, "model_fields", {}))
    close = difflib.get_close_matches(str(loc[-1]), names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(names)}"


def _model_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in getattr(annotation, "__args__", ()) if (found := _model_of(arg))), None)


def _rules(spec: LabSpec) -> Iterator[Broken]:
    """Yield the broken rules between values."""
    subnet = spec.network.subnet
    places: dict[object, str] = {spec.network.gateway: "network.gateway"}
    if spec.network.gateway not in subnet:
        yield ("network", "gateway"), f"{spec.network.gateway} is outside {subnet}"
    seeds: dict[str, str] = {}
    macs: dict[str, str] = {}
    for name, machine in spec.machines.items():
        here = ("machines", name)
        if machine.address not in subnet or machine.address in (
            subnet.network_address,
            subnet.broadcast_address,
        ):
            yield (*here, "address"), f"{machine.address} is not a host address of {subnet}"
        if machine.address in places:
            yield (*here, "address"), f"{machine.address} is already the address of {places[machine.address]}"
        places.setdefault(machine.address, name)
        yield from _once(seeds, machine.seed, name, (*here, "seed"))
        if machine.mac is not None:
            yield from _once(macs, machine.mac.lower(), name, (*here, "mac"))
    masters = [name for name, machine in spec.machines.items() if machine.role == "master"]
    if len(masters) != 1:
        yield ("machines",), f"a lab has exactly one master; here: {', '.join(masters) or 'none'}"
    if spec.hardware.boot_order[:1] not in (("disk",), ("hdd",)):
        yield (
            ("hardware", "boot_order"),
            "the disk must come first: otherwise the machine boots the installer for ever",
        )
    if "cdrom" not in spec.hardware.boot_order:
        yield ("hardware", "boot_order"), "without cdrom the blank disk can never be installed"
    if spec.ssh.forward_base_port is not None and spec.ssh.reach is not Reach.FORWARDED:
        yield ("ssh", "forward_base_port"), "has an effect with `reach: forwarded` only"


def _built_rules(spec: LabSpec) -> Iterator[Broken]:
    """Yield the values with which no seed ISO can be built."""
    if spec.seeds.source is not SeedSource.BUILT:
        return
    if spec.hardware.disk_gib > MOST_BUILT_DISK_GIB:
        yield ("hardware", "disk_gib"), f"seeds that are built install on disks of at most {MOST_BUILT_DISK_GIB} GiB"
    if not spec.guest.packages:
        yield ("guest", "packages"), "a seed that is built brings at least one package"


def _ubuntu_rules(spec: LabSpec) -> Iterator[Broken]:
    """Yield what is missing for seeds of Ubuntu's ISO, and what only they have."""
    seeds = spec.seeds
    if seeds.source is not SeedSource.UBUNTU:
        for key in ("iso", "sha256"):
            if getattr(seeds, key) is not None:
                yield ("seeds", key), "has an effect with `source: ubuntu` only"
        return
    for key in ("distribution", "suite"):
        if getattr(seeds, key) is not None:
            yield ("seeds", key), "has an effect with `source: built` only: `iso` says what is installed"
    if seeds.iso is None:
        yield ("seeds",), "`source: ubuntu` needs `iso`: the path of a live-server ISO as Ubuntu publishes it"
    if seeds.sha256 is None:
        yield ("seeds",), "`source: ubuntu` needs `sha256`: the ISO's digest in Ubuntu's SHA256SUMS"
    for name, machine in spec.machines.items():
        if machine.seed.lower() == UBUNTU_INSTALLER:
            text = f"{machine.seed} is the name of the installer ISO of all machines; write another one"
            yield ("machines", name, "seed"), text


def _payload_rules(spec: LabSpec) -> Iterator[Broken]:
    """Yield the files of the payload that would have the name of another one."""
    if spec.payload is not None:
        yield from ((("payload", *place), why) for place, why in duplicate_names(spec.payload))


def _once(seen: dict[str, str], value: str, name: str, place: tuple[str | int, ...]) -> Iterator[Broken]:
    if value in seen:
        yield place, f"{value} already belongs to {seen[value]}"
    seen.setdefault(value, name)

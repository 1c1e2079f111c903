"""Write YAML of seeds: keys in order, long texts as literal blocks."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """YAML dumper that writes multi-line text, such as PEM, in literal blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def yaml_text(document: dict[str, Any]) -> str:
    """Return a mapping as YAML, with `\\n` line ends."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=4096, line_break="\n")

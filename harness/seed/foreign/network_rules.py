"""Judge the network configuration by netplan's rules and by the lab's plan."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from ipaddress import AddressValueError, IPv4Interface, NetmaskValueError
from typing import Any

from harness.core.finding import Finding, remark
from harness.seed.foreign.data_rules import SeedData
from harness.seed.foreign.documents import Document, mapping
from harness.seed.foreign.expected import Expected

_KINDS = ("ethernets", "bonds", "bridges", "vlans")
_DEFAULT = ("default", "0.0.0.0/0")


@functools.cache
def _known() -> Mapping[str, Sequence[str]]:
    text = files("harness.seed.foreign").joinpath("netplan.toml").read_text(encoding="utf-8")
    found: Mapping[str, Sequence[str]] = tomllib.loads(text)["keys"]
    return found


def network_findings(data: SeedData, expected: Expected | None) -> Iterator[Finding]:
    """Yield what netplan refuses, and what differs from the lab's network."""
    if data.document is None:
        return
    document, keys = data.document, (*data.keys, "network")
    if not document.below(*keys):
        document, keys = (data.network, ()) if data.network is not None else (document, keys)
    if "network" in document.below(*keys):
        keys = (*keys, "network")
    network = document.below(*keys)
    if not network:
        text = "it has no network configuration: the machine asks DHCP, which the lab does not have"
        yield Finding(text, "add `network` with the machine's static address", document.where(*keys))
        return
    yield from _Network(document, keys, network).findings(expected)


class _Network:
    """A netplan document inside of another one."""

    def __init__(self, document: Document, keys: tuple[str, ...], network: dict[str, Any]) -> None:
        self._document, self._keys, self._network = document, keys, network
        cards = (
            (kind, name, mapping(network.get(kind)).get(name)) for kind in _KINDS for name in mapping(network.get(kind))
        )
        self._cards = [(kind, str(name), mapping(card)) for kind, name, card in cards]

    def findings(self, expected: Expected | None) -> Iterator[Finding]:
        """Yield what is wrong."""
        if self._network.get("version") != 2:
            near = difflib.get_close_matches("version", [str(key) for key in self._network], n=1)
            there = f", but `{near[0]}`" if near and near[0] != "version" else ""
            text = f"the network has no `version: 2`{there}: netplan refuses it"
            yield Finding(text, "write `version: 2`", self._where(*near))
        yield from self._unknown("top", self._network, (), skip=("version",))
        for kind, name, card in self._cards:
            yield from self._card(kind, name, card)
        yield from self._addresses(expected)
        if expected is not None:
            yield from self._routes(expected)
            yield from self._matches(expected)

    def _where(self, *keys: str | int) -> str:
        return self._document.where(*self._keys, *keys)

    def _unknown(
        self, kind: str, value: Mapping[Any, Any], keys: tuple[str | int, ...], *, skip: Sequence[str] = ()
    ) -> Iterator[Finding]:
        known = {*_known()[kind], *(_known()["any"] if kind in _KINDS else ())}
        for key in map(str, value):
            if key not in known and key not in skip:
                near = difflib.get_close_matches(key, known, n=1)
                if "version" in near and kind == "top":
                    continue  # reported as the missing version
                remedy = f"write `{near[0]}`" if near else "remove it"
                yield Finding(
                    f"netplan knows no key `{key}` here: it refuses the whole", remedy, self._where(*keys, key)
                )

    def _card(self, kind: str, name: str, card: dict[str, Any]) -> Iterator[Finding]:
        place = (kind, name)
        yield from self._unknown(kind, card, place)
        for part in ("match", "nameservers"):
            yield from self._unknown(part, mapping(card.get(part)), (*place, part))
        for number, route in enumerate(_items(card.get("routes"))):
            yield from self._unknown("routes", mapping(route), (*place, "routes", number))
        if "gateway4" in card:
            text = "`gateway4` is deprecated in netplan"
            yield remark(text, "write `routes: [{to: default, via: …}]`", self._where(*place, "gateway4"))

    def _addresses(self, expected: Expected | None) -> Iterator[Finding]:
        found = []
        for kind, name, card in self._cards:
            for number, item in enumerate(_items(card.get("addresses"))):
                text = str(next(iter(item), "") if isinstance(item, dict) else item)
                where = self._where(kind, name, "addresses", number)
                if ":" in text:
                    continue  # IPv6
                found.append((text, where))
                yield from _address(text, where, expected)
        if not found:
            text = "it has no static address: the lab knows the machine by one"
            wanted = f"[{expected.address}]" if expected else "[ADDRESS/PREFIX]"
            yield Finding(text, f"write `addresses: {wanted}`", self._where(*self._first()))

    def _routes(self, expected: Expected) -> Iterator[Finding]:
        remedy = f"write `routes: [{{to: default, via: {expected.gateway}}}]`"
        ways = list(self._defaults())
        if not ways:
            yield Finding("it has no default route", remedy, self._where(*self._first()))
        for via, where in ways:
            if via != str(expected.gateway):
                text = f"its default route leads to {via}, not to the lab's gateway {expected.gateway}"
                yield Finding(text, remedy, where)

    def _defaults(self) -> Iterator[tuple[str, str]]:
        """Yield gateway and place of each default route."""
        for kind, name, card in self._cards:
            if card.get("gateway4"):
                yield str(card["gateway4"]), self._where(kind, name, "gateway4")
            for number, route in enumerate(_items(card.get("routes"))):
                if str(mapping(route).get("to")) in _DEFAULT:
                    yield str(mapping(route).get("via")), self._where(kind, name, "routes", number)

    def _first(self) -> tuple[str, ...]:
        """Return the keys that lead to the first card."""
        return self._cards[0][:2] if self._cards else ()

    def _matches(self, expected: Expected) -> Iterator[Finding]:
        for kind, name, card in self._cards:
            if kind != "ethernets":
                continue
            match = mapping(card.get("match"))
            pattern, mac = str(match.get("name", "" if match else name)), str(match.get("macaddress", "")).lower()
            if pattern and not any(fnmatch.fnmatch(card, pattern) for card in ("ens32", "ens33", "ens160", "ens192")):
                text = f"no card of a VMware machine is named {pattern}: they are ens32, ens33 or the like"
                yield remark(text, 'write `match: {name: "en*"}`', self._where(kind, name))
            if mac and expected.mac and mac != expected.mac:
                text = f"it matches the card {mac}, and the lab file gives the machine {expected.mac}"
                yield Finding(text, f"write {expected.mac}", self._where(kind, name, "match", "macaddress"))


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _address(text: str, where: str, expected: Expected | None) -> Iterator[Finding]:
    try:
        address = IPv4Interface(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        yield Finding(f"{text} is no address", "write ADDRESS/PREFIX", where)
        return
    wanted = expected.address if expected else None
    if "/" not in text:
        remedy = f"write {text}/{wanted.network.prefixlen if wanted else 24}"
        yield Finding(f"the address {text} lacks its prefix: netplan refuses it", remedy, where)
    elif wanted and address.ip != wanted.ip:
        yield Finding(f"it gives the address {address.ip}, not {wanted.ip}", f"write {wanted}", where)
    elif wanted and address != wanted:
        text = f"it gives the prefix /{address.network.prefixlen}, and the lab's subnet is {wanted.network}"
        yield Finding(text, f"write {wanted}", where)

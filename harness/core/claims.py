"""The nine claims of a report, and their standing after a run.

`harness.results.claim_rules` judges them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Claim(StrEnum):
    """The claims, by their names in `claims.required` of a lab file."""

    BUILT = "built-as-planned"
    INSTALLED = "installed-from-iso"
    CLOUD_INIT = "cloud-init-clean"
    PACKAGES = "packages-offline"
    DETACHED = "iso-detached"
    RESTARTED = "survived-restart"
    AIR_GAPPED = "air-gapped"
    SETTINGS = "settings-as-promised"
    CLUSTER = "cluster-healthy"

    @property
    def sentence(self) -> str:
        """What is claimed, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Claim.BUILT: "built as planned",
    Claim.INSTALLED: "installed from this ISO",
    Claim.CLOUD_INIT: "cloud-init clean",
    Claim.PACKAGES: "packages installed offline",
    Claim.DETACHED: "ISO detached, no reinstall loop",
    Claim.RESTARTED: "survived a restart",
    Claim.AIR_GAPPED: "air-gapped",
    Claim.SETTINGS: "settings as promised",
    Claim.CLUSTER: "cluster healthy",
}


class Standing(StrEnum):
    """How a claim stands at the end of a run.

    NOT_ASKED: the lab does not have what the claim is about, and the claim is not required.
    """

    PROVEN = "proven"
    DISPROVEN = "disproven"
    NOT_PROVEN = "not-proven"
    NOT_ASKED = "not-asked"


_WORDS = {
    Standing.PROVEN: "proven",
    Standing.DISPROVEN: "DISPROVEN",
    Standing.NOT_PROVEN: "NOT PROVEN",
    Standing.NOT_ASKED: "not asked",
}


@dataclass(frozen=True)
class Judgement:
    """How one claim stands, and why.

    Attributes:
        asked: Whether the run looked at everything that the claim rests on.
        required: Whether the lab file wants it proven.
        why: For a claim that is not proven: the reasons, worst first; else what it rests on.
        checks: How many checks it rests on passed, and how many are planned, answered or not.
        evidence: Files that show more, as the checks name them.
        carried_from: The earlier runs that made some of its checks.
    """

    claim: Claim
    standing: Standing
    asked: bool
    required: bool
    why: tuple[str, ...]
    checks: tuple[int, int] = (0, 0)
    evidence: tuple[str, ...] = ()
    carried_from: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The sentence, for people."""
        here = self.claim is Claim.INSTALLED and not self.carried_from
        return f"{self.claim.sentence} in this run" if here else self.claim.sentence

    @property
    def proven_by(self) -> str:
        """`proven by run X` if an earlier run proved any of it; else empty."""
        earlier = self.carried_from if self.standing is Standing.PROVEN else ()
        return f"proven by run {', '.join(earlier)}" if earlier else ""

    @property
    def word(self) -> str:
        """The standing as printed; what should be proven and is not, in capitals."""
        return _WORDS[self.standing]

    @property
    def holds_back(self) -> bool:
        """Whether the run cannot be green because of it."""
        return self.required and self.asked and self.standing is not Standing.PROVEN

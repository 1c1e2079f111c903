"""Base of all types of a lab file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen mapping without unknown keys."""

    # Only whole files are validated: built at once with everything in it, on first use, it costs half the time.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

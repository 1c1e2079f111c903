"""Fixtures that are made once for all modules here."""

from guest_lab import real_guest

__all__ = ["real_guest"]

"""Deliberate faults: what a run reports of each, and how soon."""

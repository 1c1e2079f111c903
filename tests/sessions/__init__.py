"""Runs of the scenarios without a machine."""

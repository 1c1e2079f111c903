"""Runs of the scenarios without a virtual machine."""

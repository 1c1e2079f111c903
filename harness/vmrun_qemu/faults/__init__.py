"""Fault injection for tests of a driver: failures and wrong answers as VMware's `vmrun` gives them."""

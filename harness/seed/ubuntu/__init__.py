"""Installer ISOs from Ubuntu's own, on any host and without a foreign program.

Entry: `make_installer_iso`.
"""

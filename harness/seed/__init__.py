"""Seed ISOs: cloud-init data, the bootable image, and inspection of seed ISOs.

Entry: `build_seeds`, `inspect_iso`.
"""

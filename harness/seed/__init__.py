"""Seed ISOs: cloud-init data, the bootable image that carries it, and inspection of any such image.

Entry: `build_seeds`, `inspect_iso`.
"""

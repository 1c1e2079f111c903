"""Seed ISOs: what a guest is told, the bootable image that carries it, and reading such an image back."""

"""ISOs as other programs write them."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath
from typing import Any

import pycdlib

AUTOINSTALL = b"""#cloud-config
autoinstall:
  version: 1
  identity: {hostname: k3s-worker1, username: ubuntu, password: x}
  network:
    version: 2
    ethernets:
      ens33: {addresses: [192.168.6.11/24], routes: [{to: default, via: 192.168.6.1}]}
"""
K3S = bytes(range(256)) * 20


def foreign_iso(path: Path, files: dict[str, bytes], *, rock_ridge: bool = True, bootable: bool = True) -> Path:
    """Write an ISO like a remastered Ubuntu installer.

    Without Rock Ridge it has Joliet names.
    """
    iso: Any = pycdlib.PyCdlib()
    iso.new(vol_ident="Ubuntu 24.04", **({"rock_ridge": "1.09"} if rock_ridge else {"joliet": 3}))

    def names(path: str) -> dict[str, str]:
        return {"rr_name": path.rpartition("/")[2]} if rock_ridge else {"joliet_path": f"/{path}"}

    folders = {"": ""}
    parents = {str(parent) for name in files for parent in PurePosixPath(name).parents if parent.name}
    for number, folder in enumerate(sorted(parents)):
        folders[folder] = f"{folders[folder.rpartition('/')[0]]}/DIR{number}"
        iso.add_directory(folders[folder], **names(folder))
    for number, (name, data) in enumerate(files.items()):
        iso.add_fp(io.BytesIO(data), len(data), f"{folders[name.rpartition('/')[0]]}/F{number}.;1", **names(name))
    if bootable:
        iso.add_fp(io.BytesIO(b"boot" * 512), 2048, "/BOOT.;1", **names("eltorito.img"))
        catalog = {"rr_bootcatname": "boot.cat"} if rock_ridge else {"joliet_bootcatfile": "/boot.cat"}
        iso.add_eltorito("/BOOT.;1", bootcatfile="/BOOT.CAT;1", **catalog)
    iso.write(str(path))
    iso.close()
    return path

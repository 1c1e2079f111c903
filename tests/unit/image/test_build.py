from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from filelock import FileLock

from harness.core.errors import HostError
from harness.image.bootstrap import BuildDirectory
from harness.image.build import build_image, image_inputs, image_key, load_image, require_undamaged
from harness.image.disk import FILE_SYSTEM
from harness.image.guest_files import overlay_tar
from harness.image.initrd import MODULE_GROUPS
from harness.image.spec import GUEST_PACKAGES, KERNEL_ARGUMENTS, ImageSpec, guest_file_text

SPEC = ImageSpec("debian", "bookworm", root_gib=39, operations_packages=("jq", "htop"))


def test_the_key_changes_with_each_setting() -> None:
    keys = {
        image_key(SPEC),
        image_key(replace(SPEC, suite="trixie")),
        image_key(replace(SPEC, root_gib=19)),
        image_key(replace(SPEC, operations_packages=("jq",))),
    }
    assert len(keys) == 4


def test_the_inputs_of_the_key_are_complete() -> None:
    inputs = image_inputs(SPEC)
    assert inputs["spec"] == asdict(SPEC)
    assert inputs["files"] == hashlib.sha256(overlay_tar()).hexdigest()
    assert set(GUEST_PACKAGES) <= set(re.split("[=,]", next(word for word in inputs["tree"] if "--include" in word)))  # type: ignore[attr-defined]  # a tuple of words
    assert inputs["initrd"] == [
        guest_file_text(name) for name in ("init.sh", "installer.sh", "disk-crc.py", "lab-event.sh")
    ]
    assert KERNEL_ARGUMENTS in str(inputs["boot loader"])
    assert inputs["modules"] == MODULE_GROUPS
    assert inputs["file system"] == FILE_SYSTEM


def test_an_image_that_is_not_there_is_a_host_error_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        load_image(SPEC, tmp_path)
    assert caught.value.remedy == "run `lab setup`"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_half_written_description_is_no_image(tmp_path: Path, text: str) -> None:
    directory = tmp_path / f"image-{image_key(SPEC)}"
    directory.mkdir()
    (directory / "image.json").write_text(text)
    with pytest.raises(HostError, match="is not built"):
        load_image(SPEC, tmp_path)


class FakeFiles:
    """Creates the files of an image without packages and counts its calls."""

    def __init__(self, cache: Path) -> None:
        self.suites: list[str] = []
        self._cache = cache

    def __call__(
        self, spec: ImageSpec, key: str, _build: BuildDirectory, result: Path, _say: Callable[[str], None]
    ) -> None:
        self.suites.append(spec.suite)
        assert not (self._cache / f"image-{key}").exists()
        (result / "vmlinuz").write_bytes(b"kernel")


def test_an_image_is_built_once_and_appears_complete(tmp_path: Path) -> None:
    files = FakeFiles(tmp_path)
    first = build_image(SPEC, tmp_path, lambda _: None, create_files=files)
    again = build_image(SPEC, tmp_path, lambda _: None, create_files=files)
    assert files.suites == ["bookworm"]
    assert first == again == load_image(SPEC, tmp_path)
    assert json.loads(first.description.read_text())["files"][0]["path"] == "vmlinuz"
    assert [path.name for path in tmp_path.glob("build-*")] == []


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"Kernel"), Path.unlink])
def test_a_damaged_image_names_its_file_and_the_remedy(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    image = build_image(SPEC, tmp_path, lambda _: None, create_files=FakeFiles(tmp_path))
    require_undamaged(image)
    damage(image.kernel)
    with pytest.raises(HostError, match="the guest image is damaged: vmlinuz") as caught:
        require_undamaged(image)
    assert caught.value.remedy == "delete this directory, then run `lab setup`"


def test_a_wait_for_another_build_is_reported(tmp_path: Path) -> None:
    files, messages = FakeFiles(tmp_path), list[str]()
    held = FileLock(tmp_path / f"image-{image_key(SPEC)}.lock")
    with held, pytest.raises(HostError, match="did not end within 0 s"):
        build_image(SPEC, tmp_path, messages.append, create_files=files, other_build_s=0.1)
    assert messages[0].startswith("waiting for another build of the guest image (")
    assert len(messages) == 1
    build_image(SPEC, tmp_path, messages.append, create_files=files)
    assert not any("waiting" in text for text in messages[1:])


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def failing(_spec: ImageSpec, _key: str, build: BuildDirectory, _result: Path, _say: object) -> None:
        (build.directory / "half").write_text("x")
        raise HostError("mmdebstrap failed", remedy="-")

    with pytest.raises(HostError, match="mmdebstrap failed"):
        build_image(SPEC, tmp_path, lambda _: None, create_files=failing)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []

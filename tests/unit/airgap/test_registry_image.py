from __future__ import annotations

import gzip
import io
import json
import tarfile

from harness.airgap.registry_image import digest, tiny_image


def test_an_image_is_one_layer_with_one_file_and_its_parts_agree() -> None:
    image = tiny_image("hello\n")
    manifest, config = json.loads(image.manifest), json.loads(image.config)
    assert manifest["config"]["digest"] == digest(image.config)
    assert [layer["digest"] for layer in manifest["layers"]] == [digest(image.layer)]
    tar = gzip.decompress(image.layer)
    assert config["rootfs"]["diff_ids"] == [digest(tar)]
    with tarfile.open(fileobj=io.BytesIO(tar)) as files:
        (name,) = files.getnames()
        content = files.extractfile(name)
        assert content is not None
        assert (name, content.read()) == ("lab", b"hello\n")


def test_the_same_text_is_the_same_image_and_another_is_another() -> None:
    assert tiny_image("a") == tiny_image("a")
    assert digest(tiny_image("a").manifest) != digest(tiny_image("b").manifest)

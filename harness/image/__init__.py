"""The guest image: built once from distribution packages and cached under the hash of its inputs.

Entry: `harness.image.build.build_image`.
"""

"""Files that the lab file brings into the guests: fetch, verify, read.

Entry: `harness.payload.collect.collect_payload`; `image_names` and `k3s_version` read what was fetched.
"""

"""A kubeconfig as k3s writes it on its server."""

from __future__ import annotations

import base64


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KEY = "the key of the administrator"
TEXT = f"""\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {encoded("CA")}
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {{}}
users:
- name: default
  user:
    client-certificate-data: {encoded("CERT")}
    client-key-data: {encoded(KEY)}
"""

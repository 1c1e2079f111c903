"""Access to a guest: keys, SSH, a persistent shell, serial events, and the testinfra backend.

Entry: `SshChannel`, `SerialFollower`, `lab_host`.
"""

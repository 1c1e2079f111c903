"""Access to a guest: keys, SSH, serial events, and the testinfra backend.

Entry: `SshChannel`, `SerialFollower`, `lab_host`.
"""

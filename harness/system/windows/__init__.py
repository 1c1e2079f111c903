"""Windows only: access lists, Windows registry, logon session, VMware's installation.

Every module can be imported on every system.
"""

"""What only Windows has: access lists, registry, logon session. Every module loads on every system."""

"""Virtual networks: definitions, switch, gateway bridge and packet capture."""

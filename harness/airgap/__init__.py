"""The air gap: what is asked of each guest, what the host recorded of its network, and what follows."""

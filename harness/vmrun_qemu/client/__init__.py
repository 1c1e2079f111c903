"""Client of a VM's supervisor, and of the guest agent behind it."""

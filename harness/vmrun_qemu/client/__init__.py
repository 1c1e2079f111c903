"""The commands' side of the connection to a supervisor and to the guest agent behind it."""

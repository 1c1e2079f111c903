"""What a host needs before it can run the embedded lab: system packages and the guest image."""

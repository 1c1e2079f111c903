"""QEMU: finding it, its arguments, QMP, accelerator probe and memory migration."""

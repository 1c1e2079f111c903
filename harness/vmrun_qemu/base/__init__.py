"""Messages, state files, processes and sockets that every part of `vmrun-qemu` uses."""

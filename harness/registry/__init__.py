"""A registry for the lab: Debian's `docker-registry` on the host's loopback, and one small image in it."""

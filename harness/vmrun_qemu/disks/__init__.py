"""Virtual disks: images, backing chains, snapshots, clones and consolidation."""

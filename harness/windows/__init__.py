"""What only Windows has, behind functions and seams that load on every system."""

"""Things go wrong on purpose: what a run says of each fault, and how soon."""

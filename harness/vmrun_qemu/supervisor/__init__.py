"""The supervisor process of one running machine."""

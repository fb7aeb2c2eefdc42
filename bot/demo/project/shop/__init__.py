"""A tiny shop: the project whose tests the demo runs."""

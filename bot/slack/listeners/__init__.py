"""Thin listeners: each acknowledges first, and only then begins to work."""

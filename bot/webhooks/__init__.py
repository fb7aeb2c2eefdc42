"""Outgoing webhooks on the wire: the courier, the guard over where it may go, and the secrets it signs with."""

"""Slack's face of the bot: a verifying door, thin listeners, pure rendering, and the Chat that posts."""

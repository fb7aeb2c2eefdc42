"""How far this server's webhooks reach, by its settings."""

from urllib.parse import urlsplit

from bot.settings import Settings
from core.reach import Reach, reach_of

OWN = frozenset({"127.0.0.1", "localhost", "::1"})


def reach(settings: Settings) -> Reach:
    """A server that is reached from its own machine only may send there, too: it is being tried out."""
    at_home = urlsplit(settings.base_url).hostname in OWN
    return reach_of(settings.webhook_networks, at_home=at_home)

"""The courier a job sends webhooks with, as a Protocol; HTTP and signatures' secrets live in bot/webhooks."""

from typing import Protocol

from core.patience import Answer
from storage.endpoint import Endpoint
from storage.webhook import Message


class Courier(Protocol):
    """Carries messages. Every call is one attempt: trying again is the outbox's decision."""

    def carry(self, endpoint: Endpoint, message: Message) -> Answer:
        """Sign it, send it, and say how that ended; whatever goes wrong on the way is an answer too."""

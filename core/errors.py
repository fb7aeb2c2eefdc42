"""Errors are sentences for whoever can act; each class carries the stable `kind` that every edge reports."""

from typing import ClassVar


class FlakeGuardError(Exception):
    """FlakeGuard could not do this."""

    kind: ClassVar[str] = "processing_error"

    def __init__(self, message: str | None = None, **details: object) -> None:
        """Keep the sentence for people and `details` (JSON-able) for programs."""
        self.message = message or (type(self).__doc__ or "").strip()
        self.details = details
        super().__init__(self.message)


class ValidationError(FlakeGuardError):
    """The request is not valid."""

    kind = "validation_error"


class AuthenticationError(FlakeGuardError):
    """Who you are could not be established."""

    kind = "authentication_error"


class ForbiddenError(FlakeGuardError):
    """You may not do this."""

    kind = "permission_error"


class NotFoundError(FlakeGuardError):
    """There is nothing of this name here."""

    kind = "not_found"


class ConflictError(FlakeGuardError):
    """This contradicts what is already stored."""

    kind = "conflict"


class TooLargeError(FlakeGuardError):
    """This is larger than the limits allow."""

    kind = "payload_too_large"


class UnsupportedMediaError(FlakeGuardError):
    """This kind of content is not read here."""

    kind = "unsupported_media_type"


class RateLimitError(FlakeGuardError):
    """Too many requests; wait and try again."""

    kind = "rate_limit_error"

    def __init__(self, message: str | None = None, *, retry_after: float = 1.0, **details: object) -> None:
        """`retry_after` is in seconds."""
        super().__init__(message, **details)
        self.retry_after = retry_after


class ForgeError(FlakeGuardError):
    """GitHub did not answer as expected."""

    kind = "github_api_error"


class ChatError(FlakeGuardError):
    """Slack did not answer as expected."""

    kind = "slack_api_error"


class DatabaseError(FlakeGuardError):
    """The database is not available; nothing was changed. Try again in a few seconds."""

    kind = "database_error"


class ProcessingError(FlakeGuardError):
    """This could not be processed."""

    kind = "processing_error"

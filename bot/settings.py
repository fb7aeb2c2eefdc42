"""Everything that is configured, read once from the environment or `.env`; nothing else reads them."""

import base64
import binascii
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from cryptography.fernet import Fernet
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import ValidationError as InvalidSettingsError


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


SecretList = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split)]
"""A comma-separated list of secrets, so that they can be rotated without a gap."""


class Settings(BaseSettings):
    """Settings by the name of their environment variable; no secret has a default."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        case_sensitive=False,
        populate_by_name=True,
    )

    database_url: str = Field("sqlite:///flakeguard.db", alias="FLAKEGUARD_DATABASE_URL")
    """Where everything is kept; `postgresql://` is read as psycopg 3."""
    read_database_url: str = Field("", alias="FLAKEGUARD_READ_DATABASE_URL")
    """A replica for pages and digests."""
    base_url: str = Field("http://127.0.0.1:8000", alias="FLAKEGUARD_BASE_URL")
    """The public address of this server, for links."""
    admin_token: SecretStr | None = Field(None, alias="FLAKEGUARD_ADMIN_TOKEN")
    """Lets its holder create organizations, projects and tokens over HTTP; at least 16 characters."""
    secret_key: SecretStr | None = Field(None, alias="FLAKEGUARD_SECRET_KEY")
    """A Fernet key that encrypts Slack tokens and webhooks' secrets at rest; for several workspaces, for webhooks."""
    webhook_networks: Annotated[list[str], NoDecode, BeforeValidator(_split)] = Field(
        default_factory=list, alias="FLAKEGUARD_WEBHOOK_NETWORKS"
    )
    """Networks of your own (10.1.0.0/16, comma-separated) that webhooks may go to, without TLS too."""
    redis_url: str = Field("", alias="REDIS_URL")
    """Shares rate-limit counters between nodes."""

    slack_bot_token: SecretStr | None = Field(None, alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, alias="SLACK_APP_TOKEN")
    """Socket Mode when set: no public address is needed."""
    slack_signing_secret: SecretList = Field(default_factory=list, alias="SLACK_SIGNING_SECRET")
    slack_client_id: str = Field("", alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = Field(None, alias="SLACK_CLIENT_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", alias="SLACK_API_URL")

    github_app_id: str = Field("", alias="GITHUB_APP_ID")
    github_app_private_key: SecretStr | None = Field(None, alias="GITHUB_APP_PRIVATE_KEY")
    """PEM with real or escaped newlines, base64 of it, or the path of a file."""
    github_webhook_secret: SecretList = Field(default_factory=list, alias="GITHUB_WEBHOOK_SECRET")
    github_api_url: str = Field("https://api.github.com", alias="GITHUB_API_URL")
    github_api_version: str = Field("2026-03-10", alias="GITHUB_API_VERSION")

    log_level: str = Field("INFO", alias="FLAKEGUARD_LOG_LEVEL")
    max_body_bytes: int = Field(64 * 2**20, alias="FLAKEGUARD_MAX_BODY_BYTES", ge=1024)
    """Largest upload on the wire."""
    body_timeout: float = Field(30.0, alias="FLAKEGUARD_BODY_TIMEOUT", gt=0)
    """Seconds a body may take to arrive."""
    max_in_flight: int = Field(64, alias="FLAKEGUARD_MAX_IN_FLIGHT", ge=1)
    """Requests worked on at once; more are answered 503 with Retry-After."""
    token_rate: str = Field("60000/minute", alias="FLAKEGUARD_TOKEN_RATE")
    address_rate: str = Field("120000/minute", alias="FLAKEGUARD_ADDRESS_RATE")
    retention_days: int = Field(400, alias="FLAKEGUARD_RETENTION_DAYS", ge=30)
    """Test results older than this are dropped; the audit log is kept."""
    lease_seconds: float = Field(60.0, alias="FLAKEGUARD_LEASE_SECONDS", gt=0)
    """How long a node may work on one piece before another takes it over."""
    scheduler: bool = Field(True, alias="FLAKEGUARD_SCHEDULER")
    """Whether this process runs the timetable (digests, expiry, sweeps)."""

    web: bool = Field(True, alias="FLAKEGUARD_WEB")
    """Whether this server shows web pages (below /web/)."""

    @field_validator("database_url", "read_database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        from storage.database import could_be_opened  # noqa: PLC0415 - the gate reads this file, and needs no database

        if value and not value.startswith(KNOWN_DATABASES):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        if value and not could_be_opened(value):
            raise ValueError("must look like sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        return value

    @field_validator("database_url")
    @classmethod
    def _some_database(cls, value: str) -> str:
        if not value:
            raise ValueError("is empty; leave it out for sqlite:///flakeguard.db")
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for one in value:
            try:
                ip_network(one)
            except ValueError as error:
                raise ValueError(f"{one} is not a network such as 10.1.0.0/16") from error
        return value

    @field_validator("base_url", "slack_api_url", "github_api_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("admin_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value():
            return None
        if value is not None and len(value.get_secret_value()) < MIN_ADMIN_TOKEN:
            raise ValueError(f"must have at least {MIN_ADMIN_TOKEN} characters")
        return value

    @field_validator("secret_key")
    @classmethod
    def _fernet(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        try:
            Fernet(value.get_secret_value())
        except (ValueError, binascii.Error) as error:
            raise ValueError("must be a Fernet key: 32 random bytes, urlsafe base64") from error
        return value

    @property
    def slack_enabled(self) -> bool:
        """True when a workspace can be spoken to."""
        return bool(self.slack_bot_token or (self.slack_client_id and self.slack_client_secret))

    @property
    def github_enabled(self) -> bool:
        """True when the GitHub App is configured."""
        return bool(self.github_app_id and self.github_app_private_key)

    def private_key_pem(self) -> bytes:
        """The GitHub App's key, whichever way it was given; InvalidSettingsError names the setting."""
        raw = self.github_app_private_key.get_secret_value() if self.github_app_private_key else ""
        text = raw.replace("\\n", "\n").strip()
        if text.startswith("-----BEGIN"):
            return text.encode()
        try:
            decoded = base64.b64decode("".join(text.split()), validate=True)
        except (ValueError, binascii.Error):
            decoded = b""
        if decoded.startswith(b"-----BEGIN"):
            return decoded
        # Asked last: what is too long for a path is an error to the system, not just a missing file.
        if len(text) < MAX_PATH and (path := Path(text)).is_file():
            return path.read_bytes()
        raise InvalidSettingsError(
            "GITHUB_APP_PRIVATE_KEY is neither a PEM, nor base64 of one, nor the path of a readable file."
        )


MIN_ADMIN_TOKEN = 16
MAX_PATH = 1000
KNOWN_DATABASES = ("sqlite:", "postgresql:", "postgres:", "postgresql+psycopg:")


def load_settings(**values: object) -> Settings:
    """Read the settings; every missing or wrong one is reported at once, by name."""
    try:
        return Settings(**values)  # type: ignore[arg-type]  # aliases and names alike
    except ValidationError as error:
        raise InvalidSettingsError("The settings are not valid.\n" + "\n".join(_complaints(error))) from None


def _complaints(error: ValidationError) -> list[str]:
    return [
        f"  {'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_input=False)
    ]


def environment() -> Mapping[str, str]:
    """The process's environment, for what CI systems tell the gate and for starting child processes."""
    return dict(os.environ)

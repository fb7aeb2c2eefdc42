"""What the GitHub face needs of the settings, ready to use."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.settings import Settings

FALLBACK_VERSION = "2022-11-28"
"""Understood by every GitHub Enterprise Server still supported."""
GITHUB_COM = "https://api.github.com"
_BLOB_SUFFIXES = (
    ".blob.core.windows.net",
    ".actions.githubusercontent.com",
    ".githubusercontent.com",
    ".github.com",
    ".ghe.com",
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class GitHubConfig:
    """The App and where its GitHub is."""

    api_url: str
    app_id: str = ""
    version: str = ""
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    base_url: str = ""
    artifact_hosts: tuple[str, ...] = ()
    """Further hosts artifacts may come from (the blob store of an Enterprise Server)."""

    @classmethod
    def of(cls, settings: Settings) -> "GitHubConfig":
        """The GitHub part of the settings."""
        return cls(
            api_url=settings.github_api_url.rstrip("/"),
            app_id=settings.github_app_id,
            version=settings.github_api_version,
            secrets=tuple(secret.get_secret_value().encode() for secret in settings.github_webhook_secret),
            base_url=settings.base_url,
            artifact_hosts=tuple(getattr(settings, "github_artifact_hosts", ())),
        )

    @property
    def oidc_issuer(self) -> str:
        """Who signs the identity tokens of workflow runs; an Enterprise Server signs its own."""
        if self.api_url == GITHUB_COM:
            return "https://token.actions.githubusercontent.com"
        parts = urlsplit(self.api_url)
        return f"{parts.scheme}://{parts.netloc}/_services/token"

    def same_host(self, url: str) -> bool:
        """True when the address is on the configured API host: only there may our credentials go."""
        ours, theirs = urlsplit(self.api_url), urlsplit(url)
        return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())

    def blob_allowed(self, url: str) -> bool:
        """True for hosts that serve GitHub's artifacts; a redirect to anywhere else is not followed."""
        ours, theirs = urlsplit(self.api_url), urlsplit(url)
        host = (theirs.hostname or "").lower()
        if theirs.username or theirs.password or theirs.scheme not in {"https", ours.scheme}:
            return False
        if host == ours.hostname or (host in _LOOPBACK and ours.hostname in _LOOPBACK):
            return True
        return theirs.scheme == "https" and (host.endswith(_BLOB_SUFFIXES) or host in self.artifact_hosts)

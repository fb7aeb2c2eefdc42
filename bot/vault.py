"""The vault: what must not lie in the database in clear is sealed with FLAKEGUARD_SECRET_KEY."""

from cryptography.fernet import Fernet, InvalidToken

from bot.settings import Settings


class Vault:
    """Seals and opens; without a key it does neither."""

    def __init__(self, settings: Settings) -> None:
        """The key is the settings'."""
        key = settings.secret_key.get_secret_value() if settings.secret_key else ""
        self._fernet = Fernet(key) if key else None

    @property
    def ready(self) -> bool:
        """True when there is a key."""
        return self._fernet is not None

    def seal(self, text: str) -> bytes:
        """The text as it is stored."""
        assert self._fernet is not None, "whoever seals has asked whether the vault is ready"
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str | None:
        """The text; None without the key it was sealed with."""
        if self._fernet is None:
            return None
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            return None

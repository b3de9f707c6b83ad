"""Secrets at rest: references stay readable, everything else is encrypted."""

import logging
import os
import secrets as random
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from orchestrator.errors import ConfigError
from orchestrator.fleet.specs import Secret
from orchestrator.settings import Settings

log = logging.getLogger(__name__)
SEALED = "fernet:"
KEY_FILE = "secret.key"


class Sealed(Secret):
    """A stored secret that our key does not open. It can only be stored again as it was; it is never sent."""

    __slots__ = ()

    @property
    def variable(self) -> None:
        return None


class Secrets:
    """Turns secrets into what stands in the database and back."""

    def __init__(self, fernet: Fernet) -> None:
        self._fernet = fernet

    def seal(self, secret: Secret) -> str:
        if isinstance(secret, Sealed) or secret.variable is not None:
            return secret.reveal()
        return SEALED + self._fernet.encrypt(secret.reveal().encode()).decode()

    def open(self, stored: str) -> Secret:
        """The secret of a stored text; a Sealed one if the key is another than it was encrypted with."""
        if not stored.startswith(SEALED):
            return Secret(stored) if stored.startswith("env:") else Sealed(stored)
        try:
            return Secret(self._fernet.decrypt(stored[len(SEALED) :]).decode())
        except (InvalidToken, ValueError):
            return Sealed(stored)


def open_secrets(settings: Settings) -> Secrets:
    """With the key of the settings, else of the key file in the data folder, which is made if it is not there.

    Raises ConfigError that names the setting or the file, never the key.
    """
    path = Path(settings.data_dir) / KEY_FILE
    try:
        if not settings.secret_key and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_key_file(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made: {error.strerror}") from None
    if not settings.secret_key and path.exists() and path.stat().st_mode & 0o077:
        log.warning("%s could be read by other users of this machine; now only by its owner", path)
        path.chmod(0o600)
    key = find_key(settings)
    if key is None:
        raise ConfigError(f"{path}: disappeared")
    return Secrets(key)


def find_key(settings: Settings) -> Fernet | None:
    """The key as it is there now, None if it is to be made at the first start. Raises ConfigError."""
    if settings.secret_key:
        return _fernet(settings.secret_key, "secret_key")
    path = Path(settings.data_dir) / KEY_FILE
    return _fernet(_read(path), str(path)) if path.exists() else None


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as key file: {getattr(error, 'strerror', None) or 'it is not text'}") from None


def _fernet(key: str, source: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        raise ConfigError(f"{source}: not a Fernet key (32 bytes in url-safe base64)") from None


def _make_key_file(path: Path) -> None:
    """Whole or not at all, and never over a key that another process made at the same time."""
    draft = path.with_name(f"{KEY_FILE}.{random.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()

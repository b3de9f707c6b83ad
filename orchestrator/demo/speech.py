"""What an emulated server knows and says: its models, its fixed text, its pace."""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct

WIDTH = 8
TEXT = " The quick brown fox jumps over the lazy dog while a café owner pours seven cups of strong black coffee."
MODIFIED_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Profile(Struct, frozen=True, kw_only=True):
    """How one emulated server behaves. An empty key demands none."""

    speaks: Literal["ollama", "openai", "both"] = "both"
    models: tuple[str, ...] = ("llama3.2:latest",)
    key: str = ""
    first_token_seconds: float = 0.0
    token_seconds: float = 0.0
    slow_model: str = ""
    slow_seconds: float = 0.0


def tokens_of(text: str) -> list[str]:
    """The text cut before each space, as most tokenizers do."""
    return [f" {word}" for word in text.split()]


class Speaker:
    """The state behind both protocols of one emulated server."""

    __slots__ = ("loaded", "profile")

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.loaded: dict[str, float] = {}
        """Model -> the seconds it is to stay; negative is for ever."""

    def find(self, asked: Any) -> str | None:
        """The model by that name, in any case and with or without `:latest`."""
        if not isinstance(asked, str) or not asked:
            return None
        wanted = _canonical(asked)
        return next((name for name in self.profile.models if _canonical(name) == wanted), None)

    async def speak(self, model: str, limit: int | None = None) -> AsyncIterator[str]:
        """The tokens of the text at the server's pace, at most `limit` of them."""
        slow = model == self.profile.slow_model
        await asyncio.sleep(self.profile.slow_seconds if slow else self.profile.first_token_seconds)
        for number, token in enumerate(tokens_of(TEXT)[:limit]):
            if number:
                await asyncio.sleep(self.profile.token_seconds)
            yield token


def prompt_tokens(value: Any) -> int:
    """A plausible count for messages or a prompt: its words, and at least one."""
    if isinstance(value, str):
        return max(1, len(value.split()))
    if isinstance(value, list):
        return sum(map(prompt_tokens, value)) or 1
    if isinstance(value, dict):
        return prompt_tokens(value.get("content") or value.get("text") or "")
    return 1


def vector(text: str) -> list[float]:
    """The embedding of a text: always the same, of length one, WIDTH wide."""
    raw = [byte - 127.5 for byte in hashlib.sha256(text.encode()).digest()[:WIDTH]]
    length = math.sqrt(sum(value * value for value in raw))
    return [round(value / length, 7) for value in raw]


def digest(model: str) -> str:
    """The same 64 hex digits for the same model on every server."""
    return hashlib.sha256(model.encode()).hexdigest()


def _canonical(name: str) -> str:
    lowered = name.lower()
    return lowered if ":" in lowered.rpartition("/")[2] else f"{lowered}:latest"

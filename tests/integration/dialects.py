"""The two dialects as a test sees them: what a client asks, what a server says, and how strictly the client reads it."""

import json
from dataclasses import dataclass

from tests.fakes import wire
from tests.integration.client import post


@dataclass(frozen=True)
class Ollama:
    """Chat over /api/chat."""

    name = "ollama"
    path = "/api/chat"
    media_type = wire.NDJSON
    opening = 1
    """Pieces of a stream before its first token."""

    def ask(self, stream=True, model="m", headers=None, **more):
        return post(self.path, {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **more}, headers)

    def begin(self, tokens):
        return wire.ollama_begin(tokens)

    def event(self, token):
        return wire.chunk(wire.ollama_record(token))

    def end(self):
        """The pieces that end a stream well."""
        return [wire.chunk(wire.ollama_done(2)), wire.LAST_CHUNK]

    def stream(self, tokens):
        return wire.ollama_chat(tokens)

    def unended(self, tokens):
        """The HTTP message ends cleanly, the stream does not."""
        return wire.ollama_chat(tokens, done=False)

    def silent(self):
        """A stream that has begun and said nothing useful."""
        return wire.ollama_begin([""])

    def plain(self, text):
        return wire.ollama_plain(text)

    def error(self, status, text, headers=None):
        return wire.ollama_error(status, text, headers)

    def error_event(self, text):
        return wire.ollama_error_record(text)

    def records(self, body):
        """Every record of a stream. Raises if any is not whole or not on a clean line."""
        assert body.endswith(b"\n"), body[-100:]
        return [json.loads(line) for line in body[:-1].split(b"\n")]

    def said(self, body):
        return "".join(record.get("message", {}).get("content", "") for record in self.records(body))

    def is_ended(self, body):
        return any(record.get("done") for record in self.records(body))

    def stream_error(self, body):
        """The text of the error record that the stream ends with."""
        last = self.records(body)[-1]
        assert set(last) == {"error"}, last
        return last["error"]

    def error_text(self, answer):
        """The text of a whole error answer."""
        assert answer.header("content-type").startswith("application/json")
        value = answer.json()
        assert set(value) == {"error"}
        assert isinstance(value["error"], str)
        return value["error"]


@dataclass(frozen=True)
class OpenAI:
    """Chat over /v1/chat/completions."""

    name = "openai"
    path = "/v1/chat/completions"
    media_type = wire.SSE
    opening = 2
    """Pieces of a stream before its first token."""

    def ask(self, stream=True, model="m", headers=None, **more):
        return post(self.path, {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **more}, headers)

    def begin(self, tokens):
        return wire.openai_begin(tokens)

    def event(self, token):
        return wire.chunk(wire.openai_event({"content": token}))

    def end(self):
        """The pieces that end a stream well."""
        return [wire.chunk(wire.openai_event({}, finish="stop")), wire.chunk(wire.DONE), wire.LAST_CHUNK]

    def stream(self, tokens):
        return wire.openai_sse(tokens)

    def unended(self, tokens):
        """The HTTP message ends cleanly, the stream does not."""
        return wire.openai_sse(tokens, done=False, finish=False)

    def silent(self):
        """A stream that has begun and said nothing useful."""
        return wire.openai_begin([])

    def plain(self, text):
        return wire.openai_plain(text)

    def error(self, status, text, headers=None):
        return wire.openai_error(status, text, headers=headers)

    def error_event(self, text):
        return wire.openai_error_event(text)

    def records(self, body):
        """Every event of a stream. Raises if any is not whole or not on a clean line."""
        assert body.endswith(b"\n\n"), body[-100:]
        found = []
        for event in body[:-2].split(b"\n\n"):
            assert event.startswith(b"data: "), event
            assert b"\n" not in event, event
            found.append("[DONE]" if event == b"data: [DONE]" else json.loads(event[6:]))
        return found

    def said(self, body):
        choices = [choice for record in self.records(body) if record != "[DONE]" for choice in record.get("choices", [])]
        return "".join(choice["delta"].get("content", "") for choice in choices)

    def is_ended(self, body):
        return "[DONE]" in self.records(body)

    def stream_error(self, body):
        """The text of the error event that the stream ends with."""
        last = self.records(body)[-1]
        assert set(last) == {"error"}, last
        return self._message(last)

    def error_text(self, answer):
        """The text of a whole error answer."""
        assert answer.header("content-type").startswith("application/json")
        return self._message(answer.json())

    def _message(self, value):
        assert set(value["error"]) == {"message", "type", "param", "code"}
        return value["error"]["message"]


OLLAMA, OPENAI = Ollama(), OpenAI()
BOTH = [OLLAMA, OPENAI]


def payload(script):
    """The body that a chunked script of bytes carries after its head."""
    return b"".join(_unchunk(piece) for piece in script[1:] if piece != wire.LAST_CHUNK)


def _unchunk(piece):
    size, _, rest = piece.partition(b"\r\n")
    assert len(rest) == int(size, 16) + 2
    return rest[:-2]

"""What a stream has said about its end so far."""

from orchestrator.protocol import events
from orchestrator.protocol.events import End, Event

# A record that says anything about the end holds one of these. Quotes inside a text are escaped, so texts never do.
MARKS = {
    "openai": (b'"finish_reason":"', b'"finish_reason": "', b'"error"', b"[DONE]"),
    "ollama": (b'"done":true', b'"done": true', b'"error"'),
    "responses": (b'"response.completed"', b'"response.incomplete"', b'"response.failed"', b'"error"'),
    "messages": (b'"message_delta"', b'"message_stop"', b'"error"', b"[DONE]"),
    "opaque": (b'"error"',),
}


class Ending:
    """An error stays one whatever follows it; a finish reason is undone by more content, not by pings or usage.

    marks: before a finish reason records without any of them need not be shown; with several answers (choices) all records must be.
    """

    __slots__ = ("_finished", "_style", "choices", "end", "marks")

    def __init__(self, style: str, choices: int) -> None:
        self._style = style
        self.choices = choices
        self.marks = MARKS[style]
        self.end = End.OPEN
        self._finished: set[int] = set()  # of several answers, those with a finish reason

    def tells(self, data: bytes) -> bool:
        return self.choices > 1 or self.end is not End.OPEN or any(mark in data for mark in self.marks)

    def read(self, payloads: list[bytes]) -> None:
        """Payloads of whole records, in order."""
        if self.end is End.ERROR:
            return
        if self.choices > 1:
            self._finished |= events.finished(payloads)
        for payload in payloads:
            event = events.classify(self._style, payload)
            if event is Event.ERROR:
                self.end = End.ERROR
                return
            if event is Event.DONE:
                self.end = End.COMPLETE
            elif event is Event.FINISH and self.end is End.OPEN and (self.choices == 1 or len(self._finished) >= self.choices):
                self.end = End.FINISHED
            elif event is Event.USEFUL and self.end is End.FINISHED and self.choices == 1:
                self.end = End.OPEN

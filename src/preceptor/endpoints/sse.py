"""Server-sent events, read from bytes as they come (WHATWG HTML, section 9.2.6 "Interpreting an event stream")."""

LINE_BYTES_MAX = 1024 * 1024
"""A line longer than this is no piece of a text; whoever sends it is not listened to any more."""
EVENT_LINES_MAX = 1_000


class StreamTooLarge(ValueError):
    """A line or an event is larger than anything sensible."""


class EventReader:
    """Turns chunks of any size into the `data` of events. CR, LF and CRLF end lines, wherever chunks are cut.

    Comments and other fields (`event`, `id`, `retry`) are passed over. What is not UTF-8 becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[str] = []
        self._after_cr = False
        self._started = False

    def feed(self, chunk: bytes) -> list[str]:
        """The data of all events that this chunk completes."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk, self._after_cr = chunk[1:], False
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        self._rest += chunk
        # "\r\n" inside a chunk is one end; one that is split over chunks was handled above.
        *lines, rest = bytes(self._rest).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = bytearray(rest)
        if len(rest) > LINE_BYTES_MAX:
            raise StreamTooLarge(f"a line of more than {LINE_BYTES_MAX:,} bytes")
        return [event for line in lines if (event := self._line(line)) is not None]

    def end(self) -> list[str]:
        """What was sent without its last blank line; many servers forget it before they close."""
        last = self._line(bytes(self._rest)) if self._rest else None
        self._rest.clear()
        left = "\n".join(self._data) if self._data else None
        self._data = []
        return [event for event in (last, left) if event is not None]

    def _line(self, line: bytes) -> str | None:
        if len(line) > LINE_BYTES_MAX:
            raise StreamTooLarge(f"a line of more than {LINE_BYTES_MAX:,} bytes")
        text = line.decode(errors="replace")
        if not self._started:
            text, self._started = text.removeprefix("\ufeff"), True
        if not text:
            return self._dispatch()
        field, _, value = text.partition(":")
        if field == "data":
            if len(self._data) >= EVENT_LINES_MAX:
                raise StreamTooLarge(f"an event of more than {EVENT_LINES_MAX:,} lines")
            self._data.append(value.removeprefix(" "))
        return None

    def _dispatch(self) -> str | None:
        if not self._data:
            return None
        event, self._data = "\n".join(self._data), []
        return event

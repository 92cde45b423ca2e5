"""Reads beside a relayed Gemini stream what was used and how it ended, and nothing else of it."""

import msgspec

from pointsman.core.errors import UpstreamError
from pointsman.core.usage import Usage
from pointsman.wire.envelope import Envelope
from pointsman.wire.gemini.chunks import WatchedChunk
from pointsman.wire.gemini.errors import error_in_reply
from pointsman.wire.gemini.fields import as_count, camelled
from pointsman.wire.gemini.framing import LineReader
from pointsman.wire.gemini.reply_in import finish_word
from pointsman.wire.json_bytes import NOT_JSON, in_whole_characters
from pointsman.wire.sse import unreadable

_watched = msgspec.json.Decoder(WatchedChunk).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_CANDIDATES_MAX = 8  # of the API


def candidates_asked(envelope: Envelope | None) -> int:
    """How many answers the stream will hold."""
    raw = None if envelope is None else camelled(envelope.fields).get("generationConfig")
    try:
        count = None if raw is None else camelled(_fields(raw)).get("candidateCount")
        return 1 if count is None else min(max(as_count(count), 1), _CANDIDATES_MAX)
    except NOT_JSON:
        return 1  # the provider's to judge


class GeminiReplyWatch:
    """Usage stands on every piece, so every piece is looked at, but only for the few fields that matter."""

    def __init__(self, candidates: int = 1) -> None:
        self.usage: Usage | None = None
        self.is_complete = False
        self.error: UpstreamError | None = None
        self._unfinished = set(range(candidates))
        self._reader = LineReader()

    def feed(self, data: bytes) -> None:
        reader = self._reader
        try:
            events = reader.feed(data)
        except UpstreamError as error:
            self.error = self.error or error
            return
        for sent in events:
            self._look_at(sent.data)
        for sent in reader.cut_events():  # looking at one twice is harmless
            self._look_at(sent.data, may_be_cut=True)

    def _look_at(self, data: bytes, *, may_be_cut: bool = False) -> None:
        if self.error is not None:
            return
        try:
            chunk = _watched(data)
        except msgspec.ValidationError:
            return  # JSON all the same, and relayed as it is
        except NOT_JSON:
            mended = in_whole_characters(data)
            if mended is not data:
                self._look_at(mended, may_be_cut=may_be_cut)
            elif not may_be_cut and data.strip() not in {b"", b"[DONE]"}:
                self.error = unreadable()
            return
        if chunk.error is not None:
            self.error = error_in_reply(chunk.error)
            return
        for candidate in chunk.candidates or ():
            if finish_word(candidate.finish_reason):
                self._unfinished.discard(candidate.index or 0)
                self.is_complete = not self._unfinished
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            self.is_complete = True
        if chunk.usage_metadata is not None:
            self.usage = chunk.usage_metadata.usage(is_final=self.is_complete) or self.usage

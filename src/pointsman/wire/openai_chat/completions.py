"""OpenAI's older endpoint for bare prompts. Its stream and its usage are those of chat; its requests are only read as far
as routing needs, and never translated."""

from itertools import chain

import msgspec

from pointsman.core.errors import BadRequest, UpstreamError, UpstreamFault
from pointsman.core.events import ReplyEvent
from pointsman.core.prompt import Prompt, Turn
from pointsman.wire.dialect import ReplyWatch
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import bytes_of
from pointsman.wire.openai_chat import OpenAIChat, watch
from pointsman.wire.openai_complaints import too_deep, wrong_types

_Texts = str | list[str | int | list[int]]


class _Asked(msgspec.Struct):
    prompt: _Texts | None = None
    suffix: str | None = None
    max_tokens: int | None = None


_decode = msgspec.json.Decoder(_Asked).decode


class OpenAICompletions(OpenAIChat):
    """One dialect with chat, at another path."""

    def require_messages(self, envelope: Envelope) -> None:
        """A prompt may even be missing: the model then begins by itself."""

    def read_prompt(self, envelope: Envelope) -> Prompt:
        try:
            asked = _decode(envelope.body)
        except msgspec.ValidationError as error:
            raise wrong_types(error) from None
        except RecursionError:
            raise too_deep() from None
        given = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt or []
        texts = [each for each in chain(given, [asked.suffix]) if isinstance(each, str)]
        if given and not texts:
            raise BadRequest(
                "A prompt in tokens can only be sent to a model by its own name.", param="prompt"
            )
        return Prompt(
            system="",
            turns=tuple(Turn("user", text) for text in texts),
            input_bytes=bytes_of(envelope.fields, ("prompt", "suffix")),
            max_output_tokens=asked.max_tokens,
        )

    def reply_watch(self, envelope: Envelope | None = None) -> ReplyWatch:
        if envelope is None:
            return super().reply_watch()
        return watch.ReplyWatch(_prompts(envelope) * watch.choices_asked(envelope))

    def decode_reply(self, body: bytes, maker: str) -> list[ReplyEvent]:
        """Only asked for where a provider answers a stream with one whole body, which as chat would lose its text."""
        super().decode_reply(body, maker)  # it may be an error
        raise UpstreamError(UpstreamFault.BAD_REPLY, "answered whole where a stream was asked for")

    def endpoint(self, model: str, *, stream: bool) -> str:
        return "/completions"


def _prompts(envelope: Envelope) -> int:
    """How many texts are to be gone on with."""
    try:
        given = _decode(envelope.body).prompt
    except (msgspec.DecodeError, RecursionError):
        return 1  # its provider's to judge
    return len(given) if isinstance(given, list) and not isinstance(next(iter(given), 0), int) else 1


OPENAI_COMPLETIONS = OpenAICompletions()

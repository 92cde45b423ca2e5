"""OpenAI responses: the response object that stands around every reply, and in the events that begin and end one. It
repeats what its caller asked for, in the caller's own bytes."""

from collections.abc import Mapping

import msgspec

from pointsman.core.usage import Usage
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.openai_responses.errors import response_id_of
from pointsman.wire.openai_responses.usage import write_usage

_encode = msgspec.json.Encoder().encode

# What a reply says for a field that the caller left to the API.
_ECHOED: Mapping[str, bytes] = {
    "background": b"false",
    "instructions": b"null",
    "max_output_tokens": b"null",
    "max_tool_calls": b"null",
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "previous_response_id": b"null",
    "prompt_cache_key": b"null",
    "reasoning": b'{"effort":null,"summary":null}',
    "safety_identifier": b"null",
    "service_tier": b'"default"',
    "store": b"true",
    "temperature": b"null",
    "text": b'{"format":{"type":"text"}}',
    "tool_choice": b'"auto"',
    "tools": b"[]",
    "top_logprobs": b"0",
    "top_p": b"null",
    "truncation": b'"disabled"',
    "user": b"null",
}


class ResponseObject:
    """Writes one reply's object in each of its states."""

    def __init__(self, context: ReplyContext) -> None:
        self.id = response_id_of(context.reply_id)
        head = {
            "id": self.id,
            "object": "response",
            "created_at": context.created_s,
            "model": context.model,
        }
        fields = {} if context.envelope is None else context.envelope.fields
        echoed = [
            b'"%b":%b'
            % (name.encode(), given if (given := bytes(fields.get(name, b"null"))) != b"null" else usual)
            for name, usual in _ECHOED.items()
        ]
        self._head = _encode(head)[:-1]
        self._tail = b",".join(echoed) + b"}"

    def written(
        self,
        status: str,
        output: bytes = b"",
        usage: Usage | None = None,
        *,
        incomplete: str | None = None,
        error: Mapping[str, object] | None = None,
    ) -> bytes:
        """`output` are the items, divided by commas; `incomplete` is why the reply is not whole."""
        state = {
            "status": status,
            "error": error,
            "incomplete_details": None if incomplete is None else {"reason": incomplete},
            "usage": write_usage(usage),
        }
        return b"".join((self._head, b",", _encode(state)[1:-1], b',"output":[', output, b"],", self._tail))

"""OpenAI responses, as OpenAI answers them."""

from typing import Any, ClassVar

from pointsman.lab.voices.openai_chat import openai_error
from pointsman.lab.voices.voice import Said, Stream, Voice, event


class OpenAiResponses(Voice):
    """One message item with one part."""

    dialect: ClassVar[str] = "openai-responses"

    def whole(self, said: Said) -> dict[str, Any]:
        return _response(said, "completed")

    def stream(self, said: Said) -> Stream:
        place = {"output_index": 0}
        within = {"item_id": _item_id(said), **place, "content_index": 0}
        item = _message(said, "in_progress", "")
        whole = _message(said, "completed", said.text)
        events: list[tuple[str, dict[str, Any]]] = [
            ("response.created", {"response": _response(said, "in_progress")}),
            ("response.in_progress", {"response": _response(said, "in_progress")}),
            ("response.output_item.added", {**place, "item": {**item, "content": []}}),
            ("response.content_part.added", {**within, "part": _part("")}),
        ]
        opening = len(events)
        events += [
            ("response.output_text.delta", {**within, "delta": word, "logprobs": []}) for word in said.words
        ]
        content = len(events)
        events += [
            ("response.output_text.done", {**within, "text": said.text, "logprobs": []}),
            ("response.content_part.done", {**within, "part": _part(said.text)}),
            ("response.output_item.done", {**place, "item": whole}),
            ("response.completed", {"response": _response(said, "completed")}),
        ]
        sent = tuple(
            event({"type": kind, "sequence_number": number, **fields}, kind)
            for number, (kind, fields) in enumerate(events)
        )
        return Stream(sent[:opening], sent[opening:content], sent[content:])

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def stream_error(self, message: str) -> bytes:
        error = {"type": "server_error", "code": "server_error", "message": message, "param": None}
        return event({**error, "type": "error", "sequence_number": 99, "error": error}, "error")


def _item_id(said: Said) -> str:
    return f"msg_{said.model}"


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(said: Said, status: str, text: str) -> dict[str, Any]:
    return {
        "id": _item_id(said),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [_part(text)],
    }


def _response(said: Said, status: str) -> dict[str, Any]:
    is_over = status == "completed"
    return {
        "id": f"resp_{said.model}",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": said.model,
        "output": [_message(said, "completed", said.text)] if is_over else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(said) if is_over else None,
    }


def _usage(said: Said) -> dict[str, Any]:
    return {
        "input_tokens": said.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.input_tokens + said.output_tokens,
    }

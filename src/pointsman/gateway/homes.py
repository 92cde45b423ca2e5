"""Which backend of its model answered a conversation last: there its beginning is in the prompt cache, and there can be
read what was sealed for that account alone. It chooses no backend; fleet/pool.py does.

Nothing here is looked at, or built, for a request whose models have one backend each. A conversation is known by a hash
of what tells it apart, which means something to this process alone.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from pointsman.core.errors import PointsmanError
from pointsman.core.prompt import Prompt
from pointsman.gateway.call import Call
from pointsman.gateway.overheard import Overheard
from pointsman.gateway.sessions import first_words, named_session
from pointsman.wire.envelope import Envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

_decode_str = msgspec.json.Decoder(str | None).decode


class _Home(NamedTuple):
    backend: str
    until_s: float


class Homes:
    """By conversation and model. Those that were not answered for longest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, str], _Home] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: int, model: str, now_s: float) -> str | None:
        home = self._known.get((key, model))
        return None if home is None or home.until_s <= now_s else home.backend

    def put(self, key: int, model: str, backend: str, until_s: float, most: int) -> None:
        known = self._known
        known[(key, model)] = _Home(backend, until_s)
        known.move_to_end((key, model))
        while len(known) > most:
            known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Staying:
    """`kept_s` is how long each backend's provider keeps a prompt cache, by the names of those backends that are not
    the only ones of their models; `models` are those models."""

    kept_s: Mapping[str, float]
    models: frozenset[str]
    conversations_max: int


class Stay:
    """One request's. `overheard` knows the id of a reply that its provider keeps: that is at home where it was made, and
    the next request says no more of the conversation than it. Who it is about is found out when a choice depends on it, or there is an answer to remember."""

    def __init__(
        self, staying: Staying, homes: Homes, call: Call, envelope: Envelope, overheard: Overheard | None
    ) -> None:
        self._staying = staying
        self._homes = homes
        self._call = call
        self._envelope = envelope
        self._read: tuple[int | None, bool] | None = None
        self._overheard = overheard

    def home(self, model: str) -> str | None:
        """The backend of `model` that has this conversation. None for the first turn of one that has no name: alike
        ones, a program's that asks the same of everybody, would all be sent to one place."""
        key, goes_on = self._key()
        if key is None or not goes_on:
            return None
        return self._homes.find(key, model, self._call.clock())

    def answered(self, model: str, backend: str) -> None:
        kept_s = self._staying.kept_s.get(backend)
        if kept_s is None:
            return
        until_s = self._call.clock() + kept_s
        key, _ = self._key()
        keys = [] if key is None else [key]
        reply_id = None if self._overheard is None else self._overheard.reply_id
        if reply_id is not None:
            keys.append(self._hash("reply", reply_id))
        for each in keys:
            self._homes.put(each, model, backend, until_s, self._staying.conversations_max)

    def _key(self) -> tuple[int | None, bool]:
        """And whether something was said in it before, as far as anybody can tell."""
        if self._read is None:
            self._read = self._told()
        return self._read

    def _told(self) -> tuple[int | None, bool]:
        call, envelope = self._call, self._envelope
        previous = envelope.fields.get("previous_response_id")
        if previous is not None and call.dialect is OPENAI_RESPONSES:
            reply_id = _text(previous)
            return (None, False) if reply_id is None else (self._hash("reply", reply_id), True)
        named = named_session(call, envelope)
        if named is not None:
            return self._hash("named", named), True
        try:
            prompt = call.dialect.read_prompt(envelope)
        except PointsmanError:
            return None, False  # its provider may be able to read it
        words = first_words(prompt)
        return None if words is None else self._hash(*words), len(prompt.turns) > 1 and _has_answer(prompt)

    def _hash(self, *told: str) -> int:
        return hash((self._call.caller, *told))


def _has_answer(prompt: Prompt) -> bool:
    return any(turn.speaker == "assistant" for turn in prompt.turns)


def _text(raw: msgspec.Raw) -> str | None:
    try:
        text: str | None = _decode_str(raw)
    except msgspec.DecodeError:
        return None
    return text

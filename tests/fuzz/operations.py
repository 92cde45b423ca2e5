"""The endpoints that generate nothing from a conversation, as targets: embeddings, counts of tokens, bare prompts."""

import random
from typing import Any

import msgspec

from fuzz import holding
from fuzz.target import Target, card_of, outcome
from pointsman.core.embeddings import EmbeddingRequest
from pointsman.core.errors import ClientError, UpstreamError
from pointsman.wire.counting import ANTHROPIC_TOKENS, GEMINI_TOKENS, RESPONSES_TOKENS
from pointsman.wire.embeddings import gemini, ollama, openai
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.openai_chat.completions import OPENAI_COMPLETIONS

_PROVIDERS = (openai.OPENAI, gemini.GEMINI, ollama.OLLAMA)
_CLIENTS = {
    "openai": openai.OPENAI_CLIENT,
    "gemini": gemini.GEMINI_CLIENT,
    "gemini-batch": gemini.GEMINI_BATCH_CLIENT,
}
_OPENAI_ASKED = b'{"model":"text-embedding-3-small","input":["a",[1,2]],"encoding_format":"base64","dimensions":3,"user":"u"}'
_GEMINI_ASKED = (
    b'{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","title":"t",'
    b'"outputDimensionality":3,"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"task_type":"X"}]}'
)
_ANSWERS = {
    "openai": b'{"object":"list","data":[{"index":0,"embedding":[0.5,1e9,-1]},{"index":1,"embedding":"AACAPw=="}],'
    b'"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}',
    "gemini": b'{"embedding":{"values":[0.5]},"embeddings":[{"values":[1,2]},{"values":[3]}],"usageMetadata":{"promptTokenCount":2}}',
    "ollama": b'{"model":"m","embeddings":[[0.5,1],[2,3]],"prompt_eval_count":2}',
}
_COUNTS = {
    "anthropic-messages": ANTHROPIC_TOKENS,
    "openai-responses": RESPONSES_TOKENS,
    "gemini": GEMINI_TOKENS,
}


def _envelope(data: bytes, name: str) -> Envelope:
    return read_envelope(data, Address("m", stream=False) if name.startswith("gemini") else None)


def _asked_to_embed(name: str, client: Any, data: bytes, rng: random.Random) -> str:
    try:
        envelope = _envelope(data, name)
        msgspec.json.decode(client.forwarded(envelope, "other"), type=msgspec.Raw)
    except ClientError as error:
        return outcome(error)
    try:
        request = client.decode_request(envelope)
    except ClientError as error:
        return outcome(error)
    return " ".join(_embedded(request, provider, len(data), rng) for provider in _PROVIDERS)


def _embedded(request: EmbeddingRequest, provider: Any, read: int, rng: random.Random) -> str:
    try:
        encoded = provider.encode_request(request, card_of(provider.name, rng))
    except ClientError as error:
        return outcome(error)
    holding.json_of(encoded.body, f"embeddings as {provider.name}")
    holding.bounded(len(encoded.body), read, f"embeddings as {provider.name}")
    return f"{len(encoded.dropped)} dropped"


def _embeddings(provider: Any, data: bytes, rng: random.Random) -> str:
    words = []
    for client in _CLIENTS.values():
        try:
            client.read_usage(data)
        except UpstreamError as error:
            words.append(outcome(error))
    try:
        embeddings = provider.decode_reply(data, rng.choice((1, 2, 2, 3)))
    except UpstreamError as error:
        return outcome(error)
    for name, client in _CLIENTS.items():
        asked = _OPENAI_ASKED if rng.random() < 0.5 else b'{"model":"m","input":"a"}'
        envelope = _envelope(_GEMINI_ASKED if name.startswith("gemini") else asked, name)
        try:
            body = client.encode_reply(embeddings, envelope, "m")
        except UpstreamError as error:
            words.append(outcome(error))
            continue
        holding.json_of(body, f"embeddings as {name}")
        holding.bounded(len(body), len(data), f"embeddings as {name}")
    return " ".join([*words, "read"])


def _asked_to_count(name: str, api: Any, data: bytes, rng: random.Random) -> str:
    try:
        envelope = _envelope(data, name)
        asked = api.asked(envelope)
        msgspec.json.decode(api.forwarded(envelope, "other"), type=dict[str, msgspec.Raw])
        msgspec.json.decode(asked.body, type=dict[str, msgspec.Raw])
    except ClientError as error:
        return outcome(error)
    return f"{len(asked.fields) - len(envelope.fields)} more"


def _counted(api: Any, data: bytes, rng: random.Random) -> str:
    try:
        api.require_count(data)
    except UpstreamError as error:
        return outcome(error)
    return "counted"


def _bare_prompt(data: bytes, rng: random.Random) -> str:
    try:
        envelope = read_envelope(data)
        OPENAI_COMPLETIONS.require_messages(envelope)
        prompt = OPENAI_COMPLETIONS.read_prompt(envelope)
    except ClientError as error:
        return outcome(error)
    msgspec.json.encode(prompt)
    watch = OPENAI_COMPLETIONS.reply_watch(envelope)
    watch.feed(b'data: {"choices":[{"index":0,"text":"a","finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    return f"{min(len(prompt.turns), 3)} {watch.is_complete}"


def targets() -> list[Target]:
    found = [
        Target(f"embed:{name}", lambda d, r, n=name, c=client: _asked_to_embed(n, c, d, r), f"{name[:6]} embeddings", "request",
               (_GEMINI_ASKED if name.startswith("gemini") else _OPENAI_ASKED,))
        for name, client in _CLIENTS.items()
    ]  # fmt: skip
    found += [
        Target(f"embeddings:{provider.name}", lambda d, r, p=provider: _embeddings(p, d, r), f"{provider.name} embeddings", "reply",
               (_ANSWERS[provider.name],))
        for provider in _PROVIDERS
    ]  # fmt: skip
    for name, api in _COUNTS.items():
        asked = b'{"model":"m","generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"a"}]}]}}'
        told = b'{"input_tokens":3,"totalTokens":3}'
        found += [
            Target(
                f"count:{name}",
                lambda d, r, n=name, a=api: _asked_to_count(n, a, d, r),
                name,
                "request",
                (asked,),
            ),
            Target(
                f"counted:{name}", lambda d, r, a=api: _counted(a, d, r), f"{name} count", "reply", (told,)
            ),
        ]
    prompts = (
        b'{"model":"m","prompt":["a","b"],"suffix":"c","max_tokens":3,"n":2,"stream":true}',
        b'{"model":"m","prompt":[[1,2]]}',
    )
    return [*found, Target("prompt", _bare_prompt, "openai completions", "request", prompts)]

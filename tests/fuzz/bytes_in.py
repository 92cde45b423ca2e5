"""What is read before anything is JSON, as targets: framing, compression, seals, paths."""

import gzip
import random
import zlib

from fuzz import holding
from fuzz.target import Target, cut, outcome
from pointsman.app import DIALECTS
from pointsman.core.errors import ClientError, UpstreamError
from pointsman.server.content_encoding import inflate
from pointsman.server.request_head import path_and_query
from pointsman.upstream.content_encoding import Inflater
from pointsman.wire import seals
from pointsman.wire.gemini.paths import read_path
from pointsman.wire.lines import LineSplitter
from pointsman.wire.sse import EventSplitter, SseReader, raw_events


def targets() -> list[Target]:
    return [
        Target("seal", _seal, None, None),
        Target("framing", _framing, None, "stream"),
        Target("packed", _packed, None, None),
        Target("path", _path, None, None),
    ]


def _seal(data: bytes, rng: random.Random) -> str:
    text = data.decode("utf-8", "replace")
    if rng.random() < 0.7:
        text = seals.MARK + text
    tagged = seals.untag(text)
    if tagged is None:
        return "none"
    again = seals.untag(seals.tag(tagged.seal, tagged.kind))
    holding.hold(again == tagged, "seal: changes on its way")
    return tagged.kind


def _framing(data: bytes, rng: random.Random) -> str:
    pieces = cut(data, rng)
    lines, events, reader = LineSplitter(), EventSplitter(), SseReader()
    holding.hold(b"".join([*map(lines.split, pieces), lines.rest()]) == data, "lines: bytes are lost")
    holding.hold(b"".join([*map(events.split, pieces), events.rest()]) == data, "events: bytes are lost")
    holding.hold(b"".join(raw_events(data)) == data, "raw events: bytes are lost")
    read = [*(event for piece in pieces for event in reader.feed(piece)), *reader.finish()]
    whole = SseReader()
    holding.hold(read == [*whole.feed(data), *whole.finish()], "events: cutting changes them")
    return f"{min(len(read), 3)} events"


def _packed(data: bytes, rng: random.Random) -> str:
    limit = rng.choice((10, 1000, 100_000))
    if rng.random() < 0.8:
        packed = bytearray(gzip.compress(data, 1) if rng.random() < 0.5 else zlib.compress(data, 1))
        for _ in range(rng.choice((0, 0, 1, 3))):
            packed[int(rng.random() * len(packed))] = rng.randrange(256)
        data = bytes(packed)
    encoding = rng.choice((b"gzip", b"deflate"))
    word = "read"
    try:
        holding.hold(len(inflate(data, encoding, limit)) <= limit, "inflate: over its limit")
    except ClientError as error:
        word = outcome(error)
    inflater = Inflater(is_gzip=encoding == b"gzip")
    try:
        for piece in cut(data, rng):
            inflater.feed(piece)
            while taken := inflater.take(limit):
                holding.hold(len(taken) <= limit, "inflater: over its limit")
        inflater.is_whole()
    except UpstreamError as error:
        word += outcome(error)
    return word


def _path(data: bytes, rng: random.Random) -> str:
    path, _ = path_and_query(data if rng.random() < 0.3 else b"/v1beta/models/" + data)
    found = read_path(path.decode("utf-8", "replace"))
    for provider in DIALECTS.values():
        endpoint = provider.endpoint(found.model, stream=rng.random() < 0.5)
        holding.hold(
            endpoint.isascii() and not set(endpoint) & set(" \r\n\0#"), f"path: {provider.name} writes no URL"
        )
    return found.verb[:20]

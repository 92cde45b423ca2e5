"""How many tokens a text probably is, from its UTF-8 bytes and what they look like. It counts no token exactly."""

from pointsman.core.prompt import Prompt

# Bytes per token as measured on current tokenizers: English 4.6, source code 3.1, JSON 2.1, Chinese 2.8 to 4.1.
# What tells the three of ASCII apart is their share of symbols, that is of digits and most punctuation.
_PROSE, _CODE, _JSON = (0.04, 4.6), (0.16, 3.1), (0.36, 2.1)
_SENTENCE_MARKS = b".'!-"
_ESCAPED = b'\n"\\'
_NO_SYMBOLS = b"\n?,"

# Bytes per token beyond ASCII, by how long its characters are: two bytes (accents, Cyrillic, Arabic), three
# (Han, kana, hangul), four (emoji). The middle one is measured, the outer two are assumed.
_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES = 4.6, 3.3, 2.0

_HIGH = bytes(range(0x80, 0x100))
_UNMARKED = bytes(
    byte
    for byte in range(0x100)
    if byte != ord("\n") and (byte < 0x21 or byte >= 0x7F or chr(byte).isalpha() or byte in _SENTENCE_MARKS)
)

_FRAME_BYTES_PER_TOKEN = 3.6  # tools and calls: prose inside JSON, which providers hand on in fewer signs
_TURN_FRAME_BYTES = 64  # {"role":"user","content":[{"type":"input_text","text":""}]},
_TURN_TOKENS = 4
_REQUEST_TOKENS = 3  # around all turns

# What a picture or a file adds cannot be told from its bytes. A picture is charged 700 to 1,600 tokens by the
# big providers, a page of a document 1,500 to 3,000.
_IMAGE_TOKENS = 1_500
_DOCUMENT_TOKENS = 3_000
_AUDIO_TOKENS = 1_000


Weighed = tuple[int, bytes, int, int]
"""A text as its UTF-8 bytes, its marks, and how many bytes and characters of it are not ASCII. Marks are what is
left of its ASCII without letters, spaces and most marks of sentences: symbols, line ends, question marks and
commas, in their order. One pass finds them and they are few, so whatever is to be counted in a text is counted
there."""


def weigh(text: str) -> Weighed:
    """`text` must be encodable as UTF-8. Takes time in proportion to its length."""
    data = text.encode()
    size = len(data)
    if size == len(text):
        return size, data.translate(None, _UNMARKED), 0, 0
    plain = data.translate(None, _HIGH)
    return size, plain.translate(None, _UNMARKED), size - len(plain), len(text) - len(plain)


def beside(one: Weighed, other: Weighed) -> Weighed:
    """Both texts, with a line end between them."""
    size, marks, high_bytes, high_chars = one
    more, further_marks, more_high_bytes, more_high_chars = other
    return (
        size + more + 1,
        marks + b"\n" + further_marks,
        high_bytes + more_high_bytes,
        high_chars + more_high_chars,
    )


def text_tokens(text: Weighed) -> float:
    """Tokens of plain text."""
    size, marks, high_bytes, high_chars = text
    tokens = 0.0
    if high_chars:
        tokens = _high_tokens(high_bytes, high_chars)
        size -= high_bytes
    if size:
        share = len(marks.translate(None, _NO_SYMBOLS)) / size
        tokens += size / (_PROSE[1] if share <= _PROSE[0] else _ascii_bytes_per_token(share))
    return tokens


def input_tokens(prompt: Prompt, whole: Weighed, whole_tokens: float) -> int:
    """Tokens of everything that goes in. `whole` is the text of `prompt`, system and all turns; what the body
    holds beyond it is tools, tool calls and the braces around. What a provider adds of its own once there is a tool or
    a schema is not in it."""
    size, marks, high_bytes, high_chars = whole
    turns = len(prompt.turns)
    escapes = len(marks) - len(marks.translate(None, _ESCAPED))
    frame = prompt.input_bytes - prompt.media_bytes - size - escapes - turns * _TURN_FRAME_BYTES
    if prompt.system:
        frame -= _TURN_FRAME_BYTES
    if high_bytes:
        # Many clients write what is not ASCII as \uXXXX: then the body is longer than its text by this much.
        escaped_extra = 6 * high_chars - high_bytes
        frame -= escaped_extra if frame >= escaped_extra else 0
    tokens = whole_tokens + turns * _TURN_TOKENS + _REQUEST_TOKENS
    if frame > 0:
        tokens += frame / _FRAME_BYTES_PER_TOKEN
    if prompt.image_count or prompt.document_count or prompt.audio_count:
        tokens += prompt.image_count * _IMAGE_TOKENS
        tokens += prompt.document_count * _DOCUMENT_TOKENS
        tokens += prompt.audio_count * _AUDIO_TOKENS
    return round(tokens)


def _ascii_bytes_per_token(symbol_share: float) -> float:
    for (share, here), (next_share, there) in ((_PROSE, _CODE), (_CODE, _JSON)):
        if symbol_share <= next_share:
            part = max(symbol_share - share, 0.0) / (next_share - share)
            return here + part * (there - here)
    return _JSON[1]


def _high_tokens(high_bytes: int, chars: int) -> float:
    length = high_bytes / chars
    if length <= 3:
        bytes_per_token = _TWO_BYTES + (length - 2) * (_THREE_BYTES - _TWO_BYTES)
    else:
        bytes_per_token = _THREE_BYTES + (length - 3) * (_FOUR_BYTES - _THREE_BYTES)
    return high_bytes / bytes_per_token

"""How many tokens a text probably is, from its UTF-8 bytes and what they look like. It counts no token exactly."""

from pointsman.core.prompt import Prompt

# Bytes per token as measured on current tokenizers: English 4.6, source code 3.1, JSON 2.1, Chinese 2.8 to 4.1.
# What tells the three of ASCII apart is their share of digits and punctuation.
_SYMBOLS = bytes(byte for byte in range(0x21, 0x7F) if not chr(byte).isalpha() and chr(byte) not in ".,'?!-")
_HIGH = bytes(range(0x80, 0x100))
_PROSE, _CODE, _JSON = (0.04, 4.6), (0.16, 3.1), (0.36, 2.1)

# Bytes per token beyond ASCII, by how long its characters are: two bytes (accents, Cyrillic, Arabic), three
# (Han, kana, hangul), four (emoji). The middle one is measured, the outer two are assumed.
_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES = 4.6, 3.3, 2.0

_SAMPLE_PIECES = 16
_SAMPLE_CHARS = 512

_FRAME_BYTES_PER_TOKEN = 3.1  # tool descriptions: prose inside JSON, so the middle of the three
_TURN_FRAME_BYTES = 32  # {"role":"user","content":""},
_TURN_TOKENS = 4

# What a picture or a file adds cannot be told from its bytes. A picture is charged 700 to 1,600 tokens by the
# big providers, a page of a document 1,500 to 3,000.
_IMAGE_TOKENS = 1_500
_DOCUMENT_TOKENS = 3_000
_AUDIO_TOKENS = 1_000


def text_tokens(text: str) -> float:
    """Tokens of plain text. `text` must be encodable as UTF-8. Takes the same time beyond 8,192 characters,
    from where on its kind is told from a sample; its size never is."""
    if not text:
        return 0.0
    sample = text
    if len(text) > _SAMPLE_PIECES * _SAMPLE_CHARS:
        stride = len(text) // _SAMPLE_PIECES
        sample = "".join([text[at : at + _SAMPLE_CHARS] for at in range(0, len(text), stride)])
    data = sample.encode()
    ascii_bytes = len(data)
    tokens = 0.0
    if not text.isascii():
        ascii_bytes = len(data.translate(None, _HIGH))
        tokens = _high_tokens(len(data) - ascii_bytes, len(sample) - ascii_bytes)
    if ascii_bytes:
        symbols = ascii_bytes - len(data.translate(None, _SYMBOLS))
        tokens += ascii_bytes / _ascii_bytes_per_token(symbols / ascii_bytes)
    return tokens * len(text) / len(sample)


def input_tokens(prompt: Prompt, whole: str, whole_tokens: float) -> int:
    """Tokens of everything that goes in. `whole` is the text of `prompt`, system and all turns; what the body
    holds beyond it is tools, tool calls and the braces around."""
    turns = len(prompt.turns)
    text_bytes = len(whole) if whole.isascii() else len(whole.encode())
    escapes = whole.count("\n") + whole.count('"') + whole.count("\\")
    frame = prompt.input_bytes - prompt.media_bytes - text_bytes - escapes - turns * _TURN_FRAME_BYTES
    if text_bytes > len(whole):
        # Many clients write what is not ASCII as \uXXXX: then the body is longer than its text by this much.
        high_bytes = len(whole.encode().translate(None, bytes(range(0x80))))
        high_chars = len(whole) - (text_bytes - high_bytes)
        escaped_extra = 6 * high_chars - high_bytes
        frame -= escaped_extra if frame >= escaped_extra else 0
    tokens = whole_tokens + turns * _TURN_TOKENS + max(frame, 0) / _FRAME_BYTES_PER_TOKEN
    media = (
        prompt.image_count * _IMAGE_TOKENS
        + prompt.document_count * _DOCUMENT_TOKENS
        + prompt.audio_count * _AUDIO_TOKENS
    )
    return max(round(tokens) + media, 1)


def _ascii_bytes_per_token(symbol_share: float) -> float:
    for (share, here), (next_share, there) in ((_PROSE, _CODE), (_CODE, _JSON)):
        if symbol_share <= next_share:
            part = max(symbol_share - share, 0.0) / (next_share - share)
            return here + part * (there - here)
    return _JSON[1]


def _high_tokens(high_bytes: int, chars: int) -> float:
    if not chars:
        return 0.0
    length = high_bytes / chars
    if length <= 3:
        bytes_per_token = _TWO_BYTES + (length - 2) * (_THREE_BYTES - _TWO_BYTES)
    else:
        bytes_per_token = _THREE_BYTES + (length - 3) * (_FOUR_BYTES - _THREE_BYTES)
    return high_bytes / bytes_per_token

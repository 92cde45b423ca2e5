"""The outside of a request body: what is read of it, and that putting in a model changes nothing else."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import BadRequest
from pointsman.wire.envelope import read_envelope

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"stream":true}'


def test_the_fields_are_the_bytes_they_were():
    envelope = read_envelope(b' { "model" : "m" , "n": 1.50e0, "x":[ 1 , 2 ] , "stream" : null } ')
    assert {name: bytes(raw) for name, raw in envelope.fields.items()} == {
        "model": b'"m"',
        "n": b"1.50e0",
        "x": b"[ 1 , 2 ]",
        "stream": b"null",
    }
    assert envelope.model == "m"
    assert envelope.stream is False


def test_stream_is_read():
    assert read_envelope(BODY).stream is True


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (BODY, BODY.replace(b"gpt-4o", b"new")),
        (b'{"model":"m"}', b'{"model":"new"}'),
        (b'{"messages":[],"model":"m"}', b'{"messages":[],"model":"new"}'),
        (b' {\n "model" :\t"m" , "a":1 }\r\n', b' {\n "model" :\t"new" , "a":1 }\r\n'),
        # the same key or value elsewhere
        (b'{"a":{"model":"m"},"model":"m"}', b'{"a":{"model":"m"},"model":"new"}'),
        (b'{"a":"model","b":"m","model":"m","c":"m"}', b'{"a":"model","b":"m","model":"new","c":"m"}'),
        (b'{"a":"\\"model\\":\\"m\\"","model":"m"}', b'{"a":"\\"model\\":\\"m\\"","model":"new"}'),
        (b'{"a": [{"model": "m"}], "model": "m"}', b'{"a": [{"model": "m"}], "model": "new"}'),
        # escapes in keys and in the value
        (b'{"mod\\u0065l":"m","a":1}', b'{"mod\\u0065l":"new","a":1}'),
        (b'{"a\\"b":1,"model":"m"}', b'{"a\\"b":1,"model":"new"}'),
        (b'{"a\\\\":{"model":"m"},"model":"m"}', b'{"a\\\\":{"model":"m"},"model":"new"}'),
        (b'{"model":"\\u006d","model2":"x"}', b'{"model":"new","model2":"x"}'),
        (
            '{"größe 🎉":"ß","model":"mödel","z":"🎉"}'.encode(),
            '{"größe 🎉":"ß","model":"new","z":"🎉"}'.encode(),
        ),
        ('{ "ß" : 1, "model" : "m" }'.encode(), '{ "ß" : 1, "model" : "new" }'.encode()),
    ],
)
def test_with_model_changes_the_model_only(body, changed):
    assert read_envelope(body).with_model("new") == changed


def test_a_model_name_is_written_as_json():
    body = read_envelope(BODY).with_model('a"b\\c/ü\n')
    assert json.loads(body)["model"] == 'a"b\\c/ü\n'


def test_a_body_of_many_megabytes_keeps_every_byte():
    image = "A" * 8_000_000
    body = f'{{"messages":[{{"role":"user","content":"{image} 🎉"}}], "model":"m"}}'.encode()
    assert read_envelope(body).with_model("n") == body[:-3] + b'n"}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"a"}',
        b'{"model":"a","model":"b"}',
        b'{"model":"b","x":1,"model":"a"}',
        b'{"x":"a","x":"b","model":"b"}',
        b'{"x":1,"y":2,"x":30,"model":"m"}',
        b'{"x":1,"x":1,"model":"m"}',
        b'{"x":{"a":0,"model":"m"},"x":123456,"model":"m"}',
        b'{"model":"m","x":1,"x":1}',
        b'{"model":"m","mod\\u0065l":"m"}',
    ],
)
def test_a_repeated_field_is_refused_where_it_matters(body):
    envelope = read_envelope(body)
    with pytest.raises(BadRequest) as caught:
        envelope.with_model("new")
    assert caught.value.code == "duplicate_field"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "m", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
keys = st.text(max_size=6) | st.sampled_from(["models", "Model", '"model"', "messages", "mo\\del"])
spaces = st.text(alphabet=" \t\r\n", max_size=2)


@st.composite
def bodies(draw):
    """The head and the tail of a body around its model, in any spelling that JSON allows."""
    fields = draw(
        st.dictionaries(keys.filter(lambda key: key not in {"model", "stream"}), values, max_size=5)
    )
    place = draw(st.integers(0, len(fields)))
    escape = draw(st.booleans())
    pad = (lambda: draw(spaces)) if draw(st.booleans()) else str

    def pair(key, value):
        text = json.dumps(value, ensure_ascii=escape, separators=(pad() + "," + pad(), pad() + ":" + pad()))
        return f"{pad()}{json.dumps(key, ensure_ascii=escape)}{pad()}:{pad()}{text}{pad()}"

    pairs = [pair(key, value) for key, value in fields.items()]
    before = "".join(each + "," for each in pairs[:place])
    after = "".join("," + each for each in pairs[place:])
    key = draw(st.sampled_from(['"model"', r'"m\u006fdel"']))
    head = f"{pad()}{{{before}{pad()}{key}{pad()}:{pad()}"
    return head, f"{pad()}{after}}}{pad()}"


@given(bodies(), st.text(max_size=8), st.text(alphabet=string.printable, max_size=12))
def test_every_other_byte_stays_as_it_was(body, old, new):
    head, tail = body
    envelope = read_envelope((head + json.dumps(old) + tail).encode())
    assert envelope.model == old
    changed = envelope.with_model(new)
    assert changed.startswith(head.encode())
    assert changed.endswith(tail.encode())
    assert json.loads(changed[len(head.encode()) : len(changed) - len(tail.encode())]) == new


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(junk):
    for body in (junk, b'{"model":"m","x":' + junk + b"}", b'{"' + junk + b'":1,"model":"m"}'):
        try:
            envelope = read_envelope(body)
            envelope.with_model("new")
        except BadRequest:
            continue
        json.loads(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"   ", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"model":"m"}x', "not valid JSON"),
        (b'{"model":"m","x":"\xff"}', "not valid JSON"),
        (b'{"\xff":1,"model":"m"}', "not valid JSON"),
        (b'{"model":"m","x":"\\ud800"}', "not valid JSON"),
        (b'{"model":"\\udc00"}', "not valid JSON"),
        (b'{"model":"m","x":NaN}', "not valid JSON"),
        (b'\xef\xbb\xbf{"model":"m"}', "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"model"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"model":"m","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"model":"m","x":' + b'{"a":' * 200_000, "nested too deeply"),
        (b"{}", "must provide a model"),
        (b'{"model":7}', "model must be a string"),
        (b'{"model":null}', "model must be a string"),
        (b'{"model":"m","stream":"yes"}', "stream must be true or false"),
        (b'{"model":"m","stream":1}', "stream must be true or false"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body, words):
    with pytest.raises(BadRequest, match=words):
        read_envelope(body)


def test_a_missing_model_names_its_field():
    with pytest.raises(BadRequest) as caught:
        read_envelope(b'{"messages":[]}')
    assert (caught.value.param, caught.value.code) == ("model", "missing_model")

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.upstream.target import encode_head, read_target


@pytest.mark.parametrize(
    ("url", "peer", "start"),
    [
        ("http://a.example", "a.example:80", b"POST / HTTP/1.1\r\nhost: a.example\r\n"),
        ("https://a.example/v1", "a.example:443", b"POST /v1 HTTP/1.1\r\nhost: a.example\r\n"),
        ("http://A.example:80/x", "a.example:80", b"POST /x HTTP/1.1\r\nhost: a.example\r\n"),
        ("https://a.example:8443/x", "a.example:8443", b"POST /x HTTP/1.1\r\nhost: a.example:8443\r\n"),
        ("http://[::1]:9001/v1/x", "[::1]:9001", b"POST /v1/x HTTP/1.1\r\nhost: [::1]:9001\r\n"),
        ("https://[::1]/x", "[::1]:443", b"POST /x HTTP/1.1\r\nhost: [::1]\r\n"),
        ("http://a/base/x?b=1&c=%20#gone", "a:80", b"POST /base/x?b=1&c=%20 HTTP/1.1\r\nhost: a\r\n"),
        ("http://a?b=1", "a:80", b"POST /?b=1 HTTP/1.1\r\nhost: a\r\n"),
    ],
)
def test_url_becomes_origin_and_head_start(url, peer, start):
    target = read_target(url)
    assert str(target.origin) == peer
    assert target.head_start == start


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/v1",
        "ftp://a.example",
        "http://",
        "http:///v1",
        "http://a:99999/",
        "http://a:x/",
        "http://[::1/",
        "http://a/with space",
        "http://a/\r\nx-injected: 1",
        "http://a/\x7f",
        "http://bücher.example/",
    ],
)
def test_unusable_url_is_refused(url):
    with pytest.raises(UpstreamError) as caught:
        read_target(url)
    assert caught.value.fault is UpstreamFault.UNREACHABLE


def test_credentials_in_a_url_are_refused_without_being_shown():
    with pytest.raises(UpstreamError, match="credentials") as caught:
        read_target("https://user:secret@a.example/v1")
    assert "secret" not in str(caught.value)


def test_head_holds_host_headers_and_length():
    head = encode_head(read_target("http://a/x"), [(b"x-one", b"1"), (b"x-two", b"caf\xe9")], 12)
    assert head == (
        b"POST /x HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-two: caf\xe9\r\n"
        b"accept-encoding: identity\r\ncontent-length: 12\r\n\r\n"
    )


def test_given_accept_encoding_replaces_identity():
    head = encode_head(read_target("http://a/x"), [(b"accept-encoding", b"gzip")], 0)
    assert head.count(b"accept-encoding") == 1
    assert b"accept-encoding: gzip\r\n" in head


@pytest.mark.parametrize("value", [b"a\r\nx-injected: 1", b"a\n", b"\r", b"a\0b"])
def test_line_end_in_a_value_is_refused_naming_the_header_only(value):
    with pytest.raises(UpstreamError, match="x-key") as caught:
        encode_head(read_target("http://a/x"), [(b"x-fine", b"1"), (b"x-key", b"sk-1" + value)], 0)
    assert caught.value.fault is UpstreamFault.UNREACHABLE
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xc3\xa4", b"(x)"])
def test_what_is_no_header_name_is_refused(name):
    with pytest.raises(UpstreamError, match="not a header name"):
        encode_head(read_target("http://a/x"), [(name, b"1")], 0)


@pytest.mark.parametrize("name", [b"host", b"Content-Length", b"transfer-encoding", b"connection"])
def test_header_that_frames_the_request_is_refused(name):
    with pytest.raises(UpstreamError, match="writes it itself"):
        encode_head(read_target("http://a/x"), [(name, b"1")], 0)


_TOKEN_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_"


@given(
    st.lists(
        st.tuples(st.text(_TOKEN_LETTERS, min_size=1).map(lambda name: b"x-" + name.encode()), st.binary()),
        max_size=5,
    )
)
def test_any_header_is_written_on_one_line_or_refused(headers):
    try:
        head = encode_head(read_target("http://a/x"), headers, 0)
    except UpstreamError:
        assert any(set(value) & {0, 10, 13} for _, value in headers)
    else:
        assert head.split(b"\r\n")[2:-4] == [name + b": " + value for name, value in headers]

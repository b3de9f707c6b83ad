"""Base URLs: one spelling each, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.upstream.address import normalise, parse


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("http://localhost:11434", "http://localhost:11434"),
        ("  HTTP://LocalHost:11434/  ", "http://localhost:11434"),
        ("http://h:80", "http://h"),
        ("https://h:443/", "https://h"),
        ("https://h:80", "https://h:80"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
        ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api"),
        ("http://h/v1", "http://h"),
        ("http://h/v1/v1", "http://h/v1"),
        ("http://h/xv1", "http://h/xv1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("http://bücher.example", "http://xn--bcher-kva.example"),
    ],
)
def test_a_url_has_one_spelling(given, normal):
    assert normalise(given) == normal


@settings(deadline=None)
@given(st.from_regex(r"\Ahttps?://[a-z]{1,9}(:[1-9][0-9]{0,3})?(/[a-z0-9]{1,4}){0,3}/?\Z"))
def test_the_address_of_a_url_gives_the_url(url):
    assert normalise(parse(url).url) == parse(url).url == parse(parse(url).url).url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:11434", "http://"),
        ("", "http://"),
        ("ftp://h", "http://"),
        ("http://", "host"),
        ("http://user:secret@h", "user or password"),
        ("http://h?key=1", "query"),
        ("http://h#x", "fragment"),
        ("http://h:0", "port"),
        ("http://h:99999", "port"),
        ("http://h:x", "port"),
        ("http://a b", "host"),
    ],
)
def test_what_is_no_base_url_is_refused_in_words(url, words):
    with pytest.raises(ValueError, match=words) as caught:
        normalise(url)
    assert "secret" not in str(caught.value)


def test_the_parts_of_an_address():
    address = parse("https://Host:8443/base/v1")
    assert (address.scheme, address.host, address.port, address.host_header, address.prefix) == ("https", "host", 8443, "host:8443", "/base")


def test_the_port_of_the_scheme_is_not_in_the_host_header():
    assert (parse("https://h").port, parse("https://h").host_header, parse("http://h").port) == (443, "h", 80)


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("https://my-resource.openai.azure.com", "/openai"),
        ("https://my-resource.openai.azure.com/openai/v1/", "/openai"),
        ("https://my-resource.openai.azure.com/gateway", "/gateway"),
        ("https://azure.com", ""),
    ],
)
def test_an_azure_host_without_a_path_gets_openai(url, prefix):
    assert parse(url).prefix == prefix


def test_azure_is_told_by_the_end_of_the_host():
    assert parse("https://x.cognitiveservices.azure.com").is_azure
    assert not parse("https://openai.azure.com.evil.example").is_azure

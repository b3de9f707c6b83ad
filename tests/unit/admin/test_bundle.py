"""Files of the built UI, from folders that a test writes."""

import gzip
import os

import pytest

from orchestrator.admin import bundle as module
from orchestrator.admin.bundle import Bundle, digest

INDEX = "<!doctype html><meta name=csp-nonce content=__CSP_NONCE__>__CSP_NONCE__"


@pytest.fixture
def folder(tmp_path):
    ui = tmp_path / "ui"
    write(ui, "index.html", INDEX)
    write(ui, "assets/a-1.js", "a" * 100)
    write(ui, "assets/a-1.js.gz", gzip.compress(b"a" * 100))
    write(ui, "assets/b-2.woff2", "b")
    write(ui, "favicon.svg", "<svg/>")
    write(tmp_path, "secret.key", "canary")
    return ui


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_the_nonce_is_put_in_wherever_it_belongs(folder):
    assert Bundle(folder).page("n0") == b"<!doctype html><meta name=csp-nonce content=n0>n0"


async def test_a_file_comes_compressed_to_whom_takes_it(folder):
    bundle = Bundle(folder)
    plain, compressed = await bundle.file("assets/a-1.js", gzip=False), await bundle.file("assets/a-1.js", gzip=True)
    assert (plain.body, plain.compressed, compressed.compressed) == (b"a" * 100, False, True)
    assert gzip.decompress(compressed.body) == plain.body
    assert plain.media_type == compressed.media_type == "text/javascript; charset=utf-8"
    assert plain.etag != compressed.etag


async def test_what_has_no_compressed_form_comes_as_it_is(folder):
    file = await Bundle(folder).file("assets/b-2.woff2", gzip=True)
    assert (file.body, file.media_type, file.compressed) == (b"b", "font/woff2", False)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index.html",
        "assets",
        "assets/",
        "assets/c.js",
        "assets/a-1.js.gz",
        "../secret.key",
        "assets/../../secret.key",
        "/etc/passwd",
        "a\0b",
        ".",
        "..",
        "x" * 9000,
    ],
)
async def test_nothing_else_is_a_file(folder, name):
    assert await Bundle(folder).file(name, gzip=True) is None


async def test_what_was_read_once_is_not_read_again(folder):
    bundle = Bundle(folder)
    first = await bundle.file("favicon.svg", gzip=False)
    (folder / "favicon.svg").unlink()
    assert await bundle.file("favicon.svg", gzip=False) is first


async def test_only_what_was_asked_for_is_kept_and_never_too_much(folder, monkeypatch):
    monkeypatch.setattr(module, "MAX_KEPT_BYTES", 100)
    bundle = Bundle(folder)
    for name in ("favicon.svg", "assets/a-1.js", "assets/b-2.woff2"):
        assert await bundle.file(name, gzip=False)
        assert sum(len(file.body) for file in bundle._kept.values()) <= 100


async def test_a_file_that_vanished_is_none(folder):
    bundle = Bundle(folder)
    bundle.page("n")
    (folder / "favicon.svg").unlink()
    assert await bundle.file("favicon.svg", gzip=False) is None


async def test_a_new_build_is_noticed(folder):
    bundle = Bundle(folder)
    before, old = bundle.build, await bundle.file("favicon.svg", gzip=False)
    write(folder, "index.html", INDEX + "<!-- 2 -->")
    write(folder, "favicon.svg", "<svg>2</svg>")
    write(folder, "assets/c-3.css", "c")
    assert bundle.page("n").endswith(b"<!-- 2 -->")
    assert (await bundle.file("favicon.svg", gzip=False)).body != old.body
    assert (await bundle.file("assets/c-3.css", gzip=False)).media_type == "text/css; charset=utf-8"
    assert bundle.build != before


async def test_without_a_build_there_is_nothing_until_there_is_one(tmp_path):
    bundle = Bundle(tmp_path / "ui")
    assert (bundle.page("n"), await bundle.file("favicon.svg", gzip=False), len(bundle.build)) == (None, None, 12)
    write(tmp_path / "ui", "index.html", INDEX)
    assert bundle.page("n")


async def test_a_build_that_is_removed_is_gone(folder):
    bundle = Bundle(folder)
    assert await bundle.file("favicon.svg", gzip=False)
    (folder / "index.html").unlink()
    assert (bundle.page("n"), await bundle.file("favicon.svg", gzip=False)) == (None, None)


def test_the_build_is_that_of_program_and_ui_wherever_they_are(folder):
    assert Bundle(folder, "1").build == Bundle(folder, "1").build != Bundle(folder, "2").build
    os.utime(folder / "index.html", (1, 1))
    assert Bundle(folder, "1").build == Bundle(folder, "1").build


def test_a_digest_is_of_names_and_content(tmp_path):
    for copy in ("a", "b"):
        write(tmp_path / copy, "x/one.py", "1")
        write(tmp_path / copy, "two.py", "2")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    write(tmp_path / "b", "two.py", "3")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")

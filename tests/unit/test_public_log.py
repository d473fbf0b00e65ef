"""The log over HTTP, as C2SP tlog-tiles has it; and tampering that `comity log verify` names, here and there."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from comity.backends.log_files import FileTileStore
from comity.entrypoints.cli.log_mirror import log_mirror
from comity.entrypoints.cli.log_verify import log_verify
from comity.ledger import LogWrong, add_cosignatures, publish
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import KeySigner, SignedNote, parse_note, sign_note, verifier_of
from comity.proofs.tiles import encode_bundle, leaf_hashes, tiles_of
from tests.unit.ledger_serving import serving
from tests.unit.ledger_stores import NOW, MemoryEvents, entry, key_of

LOG = key_of("log.example")
KEY = verifier_of(LOG)
WITNESS = key_of("witness.example")
SIZE = 600

app = typer.Typer()
app.command("verify")(log_verify)
app.command("mirror")(log_mirror)


def publish_at(folder: Path, *sizes: int, story: str = "", signer: KeySigner = LOG) -> FileTileStore:
    tiles, events = FileTileStore(folder), MemoryEvents(max(sizes), story=story)
    committed = events.committed
    tiles.write("key", f"{verifier_of(signer)}\n".encode())
    for size in sizes:
        events.committed = committed[:size]
        checkpoint = publish(events, tiles, signer, now=NOW, limit=size)
        assert checkpoint is not None
        line = str(cosign(checkpoint.text, WITNESS, at=NOW))
        add_cosignatures(
            tiles, line, on=checkpoint, log=verifier_of(signer), witnesses=[cosigner_of(WITNESS)]
        )
    return tiles


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    publish_at(folder, SIZE)
    return folder


@pytest.fixture(scope="module")
def url(log: Path) -> Iterator[str]:
    with serving(log) as found:
        yield found


def get(url: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, url, trust_env=False)


def test_every_file_of_the_log_is_served_and_may_be_cached_as_the_specification_says(
    log: Path, url: str
) -> None:
    for tile in tiles_of(SIZE):
        found = get(f"{url}/{tile.path}")
        assert found.status_code == 200
        assert found.content == (log / tile.path).read_bytes()
        assert found.headers["content-type"] == "application/octet-stream"
        assert "immutable" in found.headers["cache-control"]
        assert "content-encoding" not in found.headers
    for name in ("checkpoint", "key"):
        found = get(f"{url}/{name}")
        assert found.content == (log / name).read_bytes()
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
        assert found.headers["cache-control"] == "no-cache"


def test_a_prefix_with_a_slash_works_too(log: Path, url: str) -> None:
    assert get(f"{url}//checkpoint").content == (log / "checkpoint").read_bytes()
    assert get(f"{url}//tile/0/000").status_code == 200


def test_head_tells_what_get_would(url: str) -> None:
    for path in ("checkpoint", "tile/0/000", "tile/entries/002.p/88", "tile/0/999"):
        head, whole = get(f"{url}/{path}", "HEAD"), get(f"{url}/{path}")
        assert head.content == b""
        assert (head.status_code, head.headers["content-length"]) == (
            whole.status_code, str(len(whole.content)),
        )  # fmt: skip
        assert head.headers["content-type"] == whole.headers["content-type"]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/003", "tile/0/002", "tile/0/002.p/87", "tile/2/000.p/1", "tile/64/000", "tile/00/000",
        "tile/0/0", "tile/0/0000", "tile/0/x000/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/002.p/088",
        "tile/entries", "tile", "", "tile/data/000", ".lock", "tile/0/.000.new",
        "Checkpoint", "%2e%2e/key", "..%2fkey", "tile/0/%30%30%30%00",
    ],
)  # fmt: skip
def test_everything_else_is_not_there_and_may_appear_later(url: str, path: str) -> None:
    found = get(f"{url}/{path}")
    assert found.status_code == 404
    assert b"root" not in found.content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(url: str, method: str) -> None:
    assert get(f"{url}/checkpoint", method).status_code == 405


# --- tampering: what is done to the log, and the file that must be named first ---


def flip(name: str, at: int) -> Callable[[Path], str]:
    def do(folder: Path) -> str:
        raw = bytearray((folder / name).read_bytes())
        raw[at] ^= 1
        (folder / name).write_bytes(raw)
        return name

    return do


def cut(name: str) -> Callable[[Path], str]:
    def do(folder: Path) -> str:
        (folder / name).write_bytes((folder / name).read_bytes()[:-5])
        return name

    return do


def swap(one: str, two: str, named: str) -> Callable[[Path], str]:
    def do(folder: Path) -> str:
        first, second = (folder / one).read_bytes(), (folder / two).read_bytes()
        (folder / one).write_bytes(second)
        (folder / two).write_bytes(first)
        return named

    return do


def remove(name: str) -> Callable[[Path], str]:
    def do(folder: Path) -> str:
        (folder / name).unlink()
        return name

    return do


def forged_entry(folder: Path) -> str:
    entries = [entry(number) for number in range(256)]
    entries[17] = entry(17, "forged")
    (folder / "tile/entries/000").write_bytes(encode_bundle(entries))
    (folder / "tile/0/000").write_bytes(leaf_hashes(entries))
    return "tile/0/000"


def another_key(folder: Path) -> str:
    """The same name, the same tree, signed by somebody else."""
    imposter = KeySigner("log.example", key_of("imposter").private)
    text = parse_note((folder / "checkpoint").read_bytes()).text
    (folder / "checkpoint").write_bytes(
        SignedNote(text=text, signatures=(sign_note(text, imposter),)).encode()
    )
    return "checkpoint"


def dated_back(folder: Path) -> str:
    """The log's own date moved a year back, the signature over it kept."""
    note = parse_note((folder / "checkpoint").read_bytes())
    lines = []
    for line in note.signatures:
        if line.name == LOG.name and len(line.signature) == 72:
            at = int.from_bytes(line.signature[:8], "big") - 31_536_000
            line = type(line)(
                name=line.name, key_id=line.key_id, signature=at.to_bytes(8, "big") + line.signature[8:]
            )
        lines.append(line)
    (folder / "checkpoint").write_bytes(SignedNote(text=note.text, signatures=tuple(lines)).encode())
    return "checkpoint"


def tail_off(folder: Path) -> str:
    """The last entries taken away, together with their hashes: the checkpoint still counts them."""
    short = folder / "short"
    publish_at(short, 580)
    for name in ("tile/entries/002.p/88", "tile/0/002.p/88"):
        (folder / name).unlink()
    for name in ("tile/entries/002.p/68", "tile/0/002.p/68"):
        shutil.copy(short / name, folder / name)
    shutil.rmtree(short)
    return "tile/entries/002.p/88"


def smaller_signed_by_nobody(folder: Path) -> str:
    note = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(note.replace(b"\n600\n", b"\n580\n", 1))
    return "checkpoint"


ANYWHERE = [
    flip("checkpoint", 20), flip("checkpoint", 60), flip("tile/entries/000", 40), flip("tile/entries/002.p/88", 9),
    flip("tile/0/001", 8191), flip("tile/0/002.p/88", 0), flip("tile/1/000.p/2", 33),
    cut("tile/entries/002.p/88"), cut("tile/entries/001"), cut("tile/0/000"), cut("checkpoint"),
    swap("tile/entries/000", "tile/entries/001", "tile/entries/000"), swap("tile/0/000", "tile/0/001", "tile/0/000"),
    swap("tile/0/000", "tile/entries/000", "tile/entries/000"),
    remove("tile/entries/001"), remove("tile/0/001"), remove("tile/1/000.p/2"), remove("checkpoint"),
    forged_entry, another_key, dated_back, tail_off, smaller_signed_by_nobody,
]  # fmt: skip


@pytest.mark.parametrize("tamper", ANYWHERE)
def test_tampering_is_named_on_disk_and_on_the_wire(
    log: Path, tmp_path: Path, tamper: Callable[[Path], str]
) -> None:
    folder = tmp_path / "log"
    shutil.copytree(log, folder)
    named = tamper(folder)
    with serving(folder) as url:
        for place in (str(folder), url):
            result = CliRunner().invoke(app, ["verify", place, "--key", str(KEY)])
            assert isinstance(result.exception, LogWrong), (place, result.exception)
            assert result.exception.fault.file == named, place
            assert result.exception.exit_status == 3
        # a copy is not made of it either; the date is not part of the tree
        result = CliRunner().invoke(app, ["mirror", url, str(tmp_path / "copy"), "--key", str(KEY)])
        assert (result.exception is None) is (tamper is dated_back)


def extra(name: str, content: bytes) -> Callable[[Path], str]:
    def do(folder: Path) -> str:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return name

    return do


@pytest.mark.parametrize(
    "tamper",
    [
        extra("tile/0/002", bytes(8192)), extra("tile/0/003", bytes(8192)), extra("tile/0/999", bytes(8192)),
        extra("tile/1/001", bytes(8192)), extra("tile/2/000.p/1", bytes(32)), extra("tile/1/000.p/3", bytes(96)),
        extra("tile/entries/999", encode_bundle([bytes(32)] * 256)), extra("tile/entries/002.p/99", b"junk"),
        extra("tile/entries/002.p/89", encode_bundle([bytes(32)] * 89)),
        extra("tile/0/000.p/17", bytes(17 * 32)), extra("tile/0/002.p/87", bytes(87 * 32)),
        extra("tile/entries/000.p/3", encode_bundle([bytes(32)] * 3)), extra("tile/1/000.p/1", bytes(32)),
        extra("tile/64/000", b"x"), extra("tile/0/abc", b"x"), extra("tile/0/000.p/256", b"x"),
        extra("notes.txt", b"x"),
    ],
)  # fmt: skip
def test_an_extra_file_is_named(log: Path, tmp_path: Path, tamper: Callable[[Path], str]) -> None:
    folder = tmp_path / "log"
    shutil.copytree(log, folder)
    named = tamper(folder)
    result = CliRunner().invoke(app, ["verify", str(folder), "--key", str(KEY)])
    assert isinstance(result.exception, LogWrong)
    assert result.exception.fault.file == named


def test_a_copy_of_a_tile_beyond_the_end_is_named(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    shutil.copytree(log, folder)
    shutil.copy(folder / "tile/0/001", folder / "tile/0/002")
    result = CliRunner().invoke(app, ["verify", str(folder)])
    assert isinstance(result.exception, LogWrong)
    assert result.exception.fault.file == "tile/0/002"


@pytest.mark.parametrize("ahead", [601, 700, 768, 900, 1300])
def test_what_a_stopped_node_left_is_no_error_and_neither_are_older_tiles(tmp_path: Path, ahead: int) -> None:
    """Tiles that were written before the checkpoint, and the unfinished ones of older sizes."""
    publish_at(tmp_path / "log", 10, 300, 600)
    publish_at(tmp_path / "more", 600, ahead)
    shutil.copytree(tmp_path / "more" / "tile", tmp_path / "log" / "tile", dirs_exist_ok=True)
    (tmp_path / "log" / "tile" / "0" / ".000.new").write_bytes(b"half")
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "log")]).exception is None
    (tmp_path / "log" / f"tile/entries/{ahead // 256:03d}").unlink(missing_ok=True)


# --- a checkpoint that was kept from before ---


def seen(folder: Path, kept: bytes, *more: str) -> LogWrong | None:
    file = folder.parent / "kept"
    file.write_bytes(kept)
    result = CliRunner().invoke(app, ["verify", str(folder), "--key", str(KEY), "--seen", str(file), *more])
    assert result.exception is None or isinstance(result.exception, LogWrong), result.exception
    return result.exception


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300, 512, 600])
def test_a_log_that_grew_continues_what_was_kept(tmp_path: Path, size: int) -> None:
    publish_at(tmp_path / "old", size)
    publish_at(tmp_path / "log", size, 700)
    assert seen(tmp_path / "log", (tmp_path / "old" / "checkpoint").read_bytes()) is None


@pytest.mark.parametrize("size", [1, 255, 256, 300, 512, 600])
def test_a_log_that_was_written_anew_is_found_though_it_is_whole(tmp_path: Path, size: int) -> None:
    """Signed by its own key, every hash right: only what was kept shows that something was put in or taken out."""
    publish_at(tmp_path / "old", size)
    publish_at(tmp_path / "log", 700, story="another")
    wrong = seen(tmp_path / "log", (tmp_path / "old" / "checkpoint").read_bytes())
    assert wrong is not None
    assert wrong.fault.file == "checkpoint"
    assert f"first {size} entries" in wrong.fault.problem


def test_a_log_that_was_cut_back_and_signed_again_is_found(tmp_path: Path) -> None:
    publish_at(tmp_path / "old", 600)
    publish_at(tmp_path / "log", 580)
    wrong = seen(tmp_path / "log", (tmp_path / "old" / "checkpoint").read_bytes())
    assert wrong is not None
    assert "fewer than the 600" in wrong.fault.problem


def test_a_log_that_dates_itself_back_is_found(tmp_path: Path) -> None:
    tiles = publish_at(tmp_path / "log", 600)
    kept = (tmp_path / "log" / "checkpoint").read_bytes()
    text = parse_note(kept).text
    for back, found in ((timedelta(seconds=30), False), (timedelta(days=1), True)):
        dated = cosign(text, LOG, at=NOW - back)
        tiles.write("checkpoint", SignedNote(text=text, signatures=(sign_note(text, LOG), dated)).encode())
        wrong = seen(tmp_path / "log", kept)
        assert (wrong is not None) is found
        if wrong is not None:
            assert "dated" in wrong.fault.problem


def test_a_policy_says_which_log_and_which_witnesses(log: Path, url: str, tmp_path: Path) -> None:
    file = tmp_path / "witnesses.policy"
    file.write_text(f"log {KEY}\nwitness W {cosigner_of(WITNESS)}\nquorum W\n")
    for place in (str(log), url):
        assert CliRunner().invoke(app, ["verify", place, "--policy", str(file)]).exception is None
    other = cosigner_of(key_of("other.example"))
    file.write_text(
        f"log {KEY}\nwitness W {cosigner_of(WITNESS)}\nwitness V {other}\ngroup g all W V\nquorum g\n"
    )
    result = CliRunner().invoke(app, ["verify", url, "--policy", str(file)])
    assert isinstance(result.exception, LogWrong)
    assert "V did not cosign" in result.exception.fault.problem
    copy = CliRunner().invoke(app, ["mirror", url, str(tmp_path / "copy"), "--policy", str(file)])
    assert isinstance(copy.exception, LogWrong)
    assert os.listdir(tmp_path / "copy") == [".lock"]


def test_a_signed_size_of_zero_with_another_root_does_not_hold(tmp_path: Path) -> None:
    text = Checkpoint(origin="log.example", size=0, root=bytes(32)).text
    FileTileStore(tmp_path).write(
        "checkpoint", SignedNote(text=text, signatures=(sign_note(text, LOG),)).encode()
    )
    result = CliRunner().invoke(app, ["verify", str(tmp_path), "--key", str(KEY)])
    assert isinstance(result.exception, LogWrong)

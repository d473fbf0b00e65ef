"""The published directory under the Go team's sumdb/note and sumdb/tlog: what we call a log, they call one too.

Needs `go` and golang.org/x/mod's sources (Debian: golang-go, golang-golang-x-mod-dev). Nothing is downloaded.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from comity.backends.log_files import FileTileStore
from comity.backends.log_reader import FileLogReader, HttpLogReader
from comity.ledger import add_cosignatures, mirror, publish, verify_log
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import verifier_of
from tests.unit.ledger_serving import serving
from tests.unit.ledger_stores import NOW, MemoryEvents, key_of

PROGRAM = Path(__file__).parent / "go" / "verify_log.go"
SIGNER = key_of("node.example/log")
KEY = verifier_of(SIGNER)
WITNESS = key_of("witness.example")
WITNESS_KEY = cosigner_of(WITNESS)


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built once, offline."""
    go = shutil.which("go")
    if go is None:
        pytest.skip(
            "NOT CHECKED AGAINST GO: `go` is missing (apt-get install golang-go golang-golang-x-mod-dev)"
        )
    sources = os.environ.get("GOPATH", "/usr/share/gocode")
    if not (Path(sources) / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip(f"NOT CHECKED AGAINST GO: no golang.org/x/mod below {sources} (golang-golang-x-mod-dev)")
    folder = tmp_path_factory.mktemp("go")
    quiet = {"GO111MODULE": "off", "GOPATH": sources, "GOFLAGS": "", "GOCACHE": str(folder / "cache")}
    built = subprocess.run(
        [go, "build", "-o", str(folder / "verify_log"), str(PROGRAM)],
        env={**os.environ, **quiet}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder / "verify_log"


def go_says(program: Path, folder: Path | str) -> str:
    done = subprocess.run(
        [str(program), str(folder), str(KEY), str(WITNESS_KEY)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.strip()


def published(folder: Path, *steps: int) -> int:
    """A log that grew by `steps`, its last checkpoint cosigned."""
    tiles, events = FileTileStore(folder), MemoryEvents()
    for step in steps:
        events.add(step)
        checkpoint = publish(events, tiles, SIGNER, now=NOW, limit=step)
    assert checkpoint is not None
    line = str(cosign(checkpoint.text, WITNESS, at=NOW))
    assert add_cosignatures(tiles, line, on=checkpoint, log=KEY, witnesses=[WITNESS_KEY])
    return checkpoint.size


@pytest.mark.parametrize("steps", [(1,), (2,), (255,), (256,), (257,), (100, 156, 1, 400), (66_000,)])
def test_go_accepts_what_we_publish(go_verifier: Path, tmp_path: Path, steps: tuple[int, ...]) -> None:
    size = published(tmp_path, *steps)
    assert go_says(go_verifier, tmp_path) == f"OK {size}"


@pytest.mark.parametrize("steps", [(1,), (256,), (100, 156, 1, 400), (66_000,)])
def test_go_accepts_what_we_serve(go_verifier: Path, tmp_path: Path, steps: tuple[int, ...]) -> None:
    """By URL alone, with and without a slash behind the prefix."""
    size = published(tmp_path, *steps)
    with serving(tmp_path) as url:
        assert go_says(go_verifier, url) == f"OK {size}"
        assert go_says(go_verifier, f"{url}/") == f"OK {size}"


def test_go_accepts_a_mirror(go_verifier: Path, tmp_path: Path) -> None:
    tiles = FileTileStore(tmp_path / "copy")
    for steps in ((300,), (300, 700)):
        shutil.rmtree(tmp_path / "log", ignore_errors=True)
        published(tmp_path / "log", *steps)
        with serving(tmp_path / "log") as url, HttpLogReader(url) as reader:
            mirror(reader, tiles, KEY)
    assert go_says(go_verifier, tmp_path / "copy") == "OK 1000"


def test_go_and_we_refuse_the_same_tampering(go_verifier: Path, tmp_path: Path) -> None:
    published(tmp_path, 300)
    choice = random.Random(7)
    reader = FileLogReader(tmp_path)
    paths = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock")
    assert len(paths) == 6
    for path in paths:
        whole = path.read_bytes()
        for _ in range(4):
            altered = bytearray(whole)
            altered[choice.randrange(60 if path.name == "checkpoint" else len(whole))] ^= (
                1 << choice.randrange(8)
            )
            path.write_bytes(altered)
            assert go_says(go_verifier, tmp_path).startswith("WRONG"), path
            with serving(tmp_path) as url:
                assert go_says(go_verifier, url).startswith("WRONG"), path
            assert not verify_log(reader, KEY, [WITNESS_KEY], quorum=1).holds, path
        path.write_bytes(whole)
    assert go_says(go_verifier, tmp_path) == "OK 300"

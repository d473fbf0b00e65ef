"""Take over a register by TUF's client workflow (TUF 1.0 §5.3), as the library performs it.

The files come from a bundle somebody carried or from a member's mirror; neither is trusted for anything. The
workflow runs in a folder of its own, started from what is held; only what it accepts, and what then reads as
a compact (`exchange.register.read`), is handed back. Refused: rollback, freeze, mixed versions, files longer
than was signed, too few signatures, a state that speaks for another.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from comity.errors import ComityError, Conflict, StorageError, TrustError
from comity.exchange.fields import write_instant
from comity.exchange.register.bundle import MAX_FILE, MAX_FILES
from comity.exchange.register.layout import MAX_AHEAD, MAX_METADATA, is_file, metadata_path, target_path
from comity.exchange.register.read import BrokenRegister, ForeignCard, load, read_register, signing_time

Fetch = Callable[[str], bytes | None]
"""The content of a register's file by its path, or None if there is no such file."""
_BASE = "register:/"
_CONFIG = UpdaterConfig(
    root_max_length=MAX_METADATA, timestamp_max_length=16_384, snapshot_max_length=MAX_METADATA,
    targets_max_length=MAX_METADATA, max_delegations=2, max_root_rotations=MAX_FILES,
)  # fmt: skip


class RegisterRollback(Conflict):
    """The offered register is older than the one held, as a whole or in one of its files."""

    code = "register.rollback"
    remedy = "Nothing was changed. Ask the other members for the newest: comity compact update DIR."


class FrozenRegister(TrustError):
    """The offered register may have been overtaken: nobody says any more that it is the newest."""

    code = "register.expired"
    remedy = "Ask a member whose node runs for a fresh file: comity compact show DIR --save FILE."


class OversizeRegister(TrustError):
    """More bytes than were signed for, or than any register has."""

    code = "register.oversize"
    remedy = "Do not use it. Take the register from another member."


def take_over(anchor: bytes, held: Mapping[str, bytes], fetch: Fetch, *, now: datetime) -> dict[str, bytes]:
    """Return the files of the register that `fetch` offers, once they are verified as `held`'s successor.

    `held` is empty for a first time. Raises the errors above, `TrustError`s of `exchange.register.read`, or what
    `fetch` raised.
    """
    fetcher = _Fetcher(fetch)
    try:
        with TemporaryDirectory(prefix="comity-register-") as folder:
            files = _Client(Path(folder), anchor, held, fetcher, now).run()
    except (RepositoryError, DownloadError) as error:
        if fetcher.failure is not None:
            raise fetcher.failure from error
        raise _refusal(error) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise BrokenRegister(
            f"expected a register that can be read: {type(error).__name__}: {error}"
        ) from error
    except OSError as error:
        raise StorageError(f"the disk refused: {error.strerror}", where=gettempdir()) from error
    read_register(files)
    return files


class _Fetcher(FetcherInterface):
    """Hands files to TUF's client, which counts their bytes as they come."""

    def __init__(self, fetch: Fetch) -> None:
        self._ask = fetch
        self.failure: ComityError | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = url.removeprefix(_BASE)
        try:
            content = self._ask(path) if is_file(path) else None
        except ComityError as error:
            self.failure = error
            raise
        if content is None:
            raise DownloadHTTPError(f"no file {path}", 404)
        return iter([content])


class _Client:
    """One run of TUF's client in an empty folder."""

    def __init__(
        self, folder: Path, anchor: bytes, held: Mapping[str, bytes], fetcher: _Fetcher, now: datetime
    ) -> None:
        self._folder, self._held, self._now = folder, held, now
        _lay_out(folder, held)
        self._updater = Updater(
            str(folder), f"{_BASE}metadata/", target_dir=None, target_base_url=f"{_BASE}targets/",
            fetcher=fetcher, config=_CONFIG, bootstrap=anchor,
        )  # fmt: skip
        # The library takes the machine's clock, a node is given one: the same in the product, not in tests.
        self._updater._trusted_set.reference_time = now

    def run(self) -> dict[str, bytes]:
        self._updater.refresh()
        files = {f"metadata/{path.name}": path.read_bytes() for path in self._folder.glob("root_history/*")}
        files[metadata_path("timestamp")] = (self._folder / "timestamp.json").read_bytes()
        self._refuse_premature(files)
        files |= self._versioned("snapshot")
        files |= self._versioned("targets")
        targets = load(files, _only(files, "targets"), Targets).signed
        files |= self._contents(targets)
        for role in sorted((targets.delegations.roles or {}) if targets.delegations else {}):
            self._updater.get_targetinfo(f"{role}/any-member/1.card.jws")  # loads the role
            files |= self._versioned(role)
            files |= self._contents(load(files, _only(files, role), Targets).signed)
        return files

    def _versioned(self, role: str) -> dict[str, bytes]:
        """What the client accepted for `role`, under its consistent name."""
        try:
            content = (self._folder / f"{role}.json").read_bytes()
        except FileNotFoundError as error:
            raise BrokenRegister("expected the metadata of this role, got none", where=role) from error
        version = _version_of(content)
        return {metadata_path(role, version): content}

    def _contents(self, role: Targets) -> dict[str, bytes]:
        if len(role.targets) > MAX_FILES:
            raise OversizeRegister(f"expected at most {MAX_FILES} files of a state, got {len(role.targets)}")
        files = {}
        for path in role.targets:
            info = self._updater.get_targetinfo(path)
            if info is None or info != role.targets[path]:
                raise ForeignCard("expected paths of the state's own, got another's", where=path[:120])
            if info.length > MAX_FILE:
                raise OversizeRegister(f"expected at most {MAX_FILE} bytes, got {info.length}", where=path)
            place = target_path(path, info.hashes.get("sha256", ""))
            files[place] = self._held.get(place) or self._download(info)
        return files

    def _download(self, info: TargetFile) -> bytes:
        place = self._folder / "target"
        self._updater.download_target(info, filepath=str(place))
        return place.read_bytes()

    def _refuse_premature(self, files: Mapping[str, bytes]) -> None:
        """A timestamp of the future would make every honest one after it look like a rollback."""
        signed_at = signing_time(load(files, metadata_path("timestamp"), Timestamp).signed)
        if signed_at > self._now + MAX_AHEAD:
            raise BrokenRegister(
                f"expected a timestamp signed by {write_instant(self._now)}, got {write_instant(signed_at)}",
                remedy="Compare this node's clock with a time source, then with the other members'.",
            )


def _lay_out(folder: Path, held: Mapping[str, bytes]) -> None:
    """What is held, where TUF's client looks for what it has trusted before."""
    (folder / "root_history").mkdir()
    for path, content in held.items():
        kind, _, name = path.partition("/")
        if kind != "metadata":
            continue
        if name.endswith(".root.json"):
            (folder / "root_history" / name).write_bytes(content)
        else:
            (folder / name.partition(".")[2] if name[0].isdigit() else folder / name).write_bytes(content)


def _version_of(content: bytes) -> int:
    return int(Metadata.from_bytes(content).signed.version)


def _only(files: Mapping[str, bytes], role: str) -> str:
    return next(path for path in files if path.endswith(f".{role}.json"))


def _refusal(error: Exception) -> ComityError:
    said = f"{error}" or type(error).__name__
    if isinstance(error, ExpiredMetadataError):
        return FrozenRegister(f"expected a register that still holds: {said}")
    if isinstance(error, BadVersionNumberError) or "missing info" in said:
        return RegisterRollback(f"expected what comes after the register held: {said}")
    if isinstance(error, DownloadLengthMismatchError):
        return OversizeRegister(f"expected no more bytes than were signed for: {said}")
    if isinstance(error, UnsignedMetadataError):
        return BrokenRegister(f"expected the signatures of enough states: {said}")
    if isinstance(error, LengthOrHashMismatchError):
        return BrokenRegister(f"expected the file that was signed for: {said}")
    return BrokenRegister(f"expected a register that verifies: {said}")

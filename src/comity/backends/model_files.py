"""A learned ranker as files in a folder: its description, its boosters as text, and a card for people.

Nothing in it is code: boosters are LightGBM's text format, the rest is JSON and Markdown. `model.json` holds the
SHA-256 of every booster; the SHA-256 of `model.json` is the model's own digest, which alerts and cards name. A digest
shows that files belong together and are whole. It does not show who made them: use models you trained, or whose digest
somebody you trust told you.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comity.errors import InputError, NotFound, StorageError, TrustError

DESCRIPTION, CARD = "model.json", "MODEL_CARD.md"
_MOST_BYTES = 256 * 2**20


def save_model(
    folder: Path, *, description: Mapping[str, Any], boosters: Mapping[str, str], card: str
) -> str:
    """Write a new model folder and return its digest; `InputError` if a model is there already."""
    if (folder / DESCRIPTION).exists():
        raise InputError.because(
            expected="a folder without a model", got="one with a model", where=str(folder),
            remedy="Name another folder: models are kept, so that old alerts can be explained.",
        )  # fmt: skip
    files = {name: text.encode() for name, text in boosters.items()}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    described = json.dumps({**description, "files": digests}, indent=2, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(described.encode()).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        (folder / CARD).write_text(card.replace("{digest}", digest), encoding="utf-8")
        (folder / DESCRIPTION).write_text(described, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the disk refused: {error}", where=str(folder)) from error
    return digest


def load_model(folder: Path) -> tuple[dict[str, Any], dict[str, str], str]:
    """The description, the boosters by file name, and the digest; `TrustError` where a file is not the one named."""
    data = _read(folder / DESCRIPTION)
    try:
        description = json.loads(data)
        files = dict(description["files"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError.because(
            expected="a model's description in JSON", got=str(error)[:200], where=str(folder / DESCRIPTION)
        ) from error
    boosters = {}
    for name, digest in files.items():
        if Path(name).name != name:
            raise InputError.because(
                expected="a file name", got=repr(name[:60]), where=str(folder / DESCRIPTION)
            )
        text = _read(folder / name)
        if hashlib.sha256(text).hexdigest() != digest:
            raise TrustError(
                f"expected the file with SHA-256 {digest}, got another", where=str(folder / name),
                remedy="Do not use this model. Fetch it again from where it was trained, or train it anew.",
            )  # fmt: skip
        boosters[name] = text.decode()
    return description, boosters, hashlib.sha256(data).hexdigest()


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError.because(
                expected=f"at most {_MOST_BYTES:,} bytes", got=f"{file.stat().st_size:,}", where=str(file)
            )
        return file.read_bytes()
    except FileNotFoundError as error:
        raise NotFound.because(
            expected="a model that `comity detect train` wrote", got="no such file", where=str(file),
            remedy="Name the folder that was given to --model when it was trained.",
        ) from error  # fmt: skip
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(file)
        ) from error

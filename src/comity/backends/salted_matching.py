"""Find the same targets by salted tokens (`casework.ports.Matching`): for now, until private matching takes its place.

1. The asker opens with a random share of the salt. 2. The answerer gives its share and commits to its whole list: one
hiding commitment each, always `MOST_LISTED` of them. 3. The asker gives a token for each identifier that it asks
about, always `MOST_ASKED` of them. 4. The answerer opens its commitments to those that it lists as well, and nothing
else. So nobody can answer by echo (what is opened was committed to before), the salt is of this round and pair, and of
the answerer's list the asker learns what it has guessed and nothing more, however long it computes.

What it does not hide, and private matching will: a token can be tested against guesses by the answerer, who knows the
salt. That costs it one scrypt (RFC 7914; n = 4096, r = 8: 4 MiB) a guess, and holds for one round only. See
docs/how-to/joint-work.md.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comity.casework.joint_identifiers import Identifier
from comity.casework.joint_rounds import MOST_ASKED, MOST_LISTED, Found, Listed, Setting
from comity.casework.ports import Step
from comity.errors import InputError
from comity.exchange.fields import DIGEST, Fields
from comity.proofs.canonical import canonical_bytes

_COST = {"n": 2**12, "r": 8, "p": 1, "dklen": 32}
_BYTES = 32
_HIT = 300
"""More characters than one hit takes in the answer, which is filled up to as many hits as there can be."""


class SaltedMatching:
    """`random(count)` gives that many fresh random bytes."""

    name = "salted-1"

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random

    def open(self) -> Step:
        share = self._fresh()
        return Step(document={"share": share}, secret={"share": share})

    def commit(self, setting: Setting, opened: Mapping[str, Any], listed: Sequence[Listed]) -> Step:
        share = self._fresh()
        salt = _salt(setting, _share(opened), share)
        openings = {one.target: self._fresh() for one in listed[:MOST_LISTED]}
        found = [_commitment(salt, one, openings[one.target]) for one in listed[:MOST_LISTED]]
        found += [self._fresh() for _ in range(MOST_LISTED - len(found))]
        return Step(
            document={"share": share, "commitments": sorted(found)},
            secret={"salt": salt, "openings": openings},
        )

    def ask(
        self,
        setting: Setting,
        secret: Mapping[str, Any],
        committed: Mapping[str, Any],
        wanted: Sequence[Listed],
    ) -> Step:
        salt = _salt(setting, str(secret["share"]), _share(committed))
        fields = Fields(committed, "commitment")
        commitments = fields.texts("commitments", most=MOST_LISTED, form=DIGEST)
        if len(commitments) != MOST_LISTED:
            raise fields.wrong("commitments", f"{MOST_LISTED} of them", len(commitments))
        tokens = {_token(salt, one.identifier): one for one in wanted[:MOST_ASKED]}
        targets = [{"token": token, "behind": one.behind} for token, one in tokens.items()]
        targets += [
            {"token": self._fresh(), "behind": self._fresh()} for _ in range(MOST_ASKED - len(targets))
        ]
        return Step(
            document={"targets": sorted(targets, key=lambda one: one["token"])},
            secret={"salt": salt, "commitments": list(commitments)},
        )

    def answer(
        self, setting: Setting, secret: Mapping[str, Any], asked: Mapping[str, Any], listed: Sequence[Listed]
    ) -> tuple[Step, Sequence[Found]]:
        salt, openings = str(secret["salt"]), secret["openings"]
        theirs = _asked(asked)
        ours: dict[str, Listed] = {}
        for one in listed:
            if one.target in openings:
                ours.setdefault(_token(salt, one.identifier), one)
        same = sorted(theirs.keys() & ours.keys())
        hits = [
            {"token": token, "behind": ours[token].behind, "opening": openings[ours[token].target]}
            for token in same
        ]
        padding = " " * (_HIT * MOST_ASKED - len(canonical_bytes(hits)))
        found = [
            Found(target=ours[token].target, reference=_reference(salt, token), behind=theirs[token])
            for token in same
        ]
        return Step(document={"hits": hits, "padding": padding}, secret={}), found

    def conclude(
        self,
        setting: Setting,
        secret: Mapping[str, Any],
        answered: Mapping[str, Any],
        wanted: Sequence[Listed],
    ) -> Sequence[Found]:
        salt, commitments = str(secret["salt"]), set(secret["commitments"])
        ours = {_token(salt, one.identifier): one for one in wanted[:MOST_ASKED]}
        found: dict[str, Found] = {}
        for hit in Fields(answered, "answer").objects("hits", least=0, most=MOST_ASKED):
            token, behind, opening = (hit.text(name, form=DIGEST) for name in ("token", "behind", "opening"))
            one = ours.get(token)
            claimed = one and Listed(target="", identifier=one.identifier, behind=behind)
            if (
                one is None
                or claimed is None
                or token in found
                or _commitment(salt, claimed, opening) not in commitments
            ):
                raise InputError.because(
                    expected="only what was asked about and committed to before, each once", got=token
                )
            found[token] = Found(target=one.target, reference=_reference(salt, token), behind=behind)
        return tuple(found.values())

    def _fresh(self) -> str:
        return self._random(_BYTES).hex()


def _share(document: Mapping[str, Any]) -> str:
    return Fields(document, "share").text("share", form=DIGEST)


def _asked(document: Mapping[str, Any]) -> dict[str, str]:
    """Token → the asker's commitment to the case behind it."""
    fields = Fields(document, "question")
    targets = fields.objects("targets", least=MOST_ASKED, most=MOST_ASKED)
    found = {one.text("token", form=DIGEST): one.text("behind", form=DIGEST) for one in targets}
    if len(found) != MOST_ASKED:
        raise fields.wrong("targets", f"{MOST_ASKED} different tokens", len(found))
    return found


def _salt(setting: Setting, asker_share: str, answerer_share: str) -> str:
    return _digest(
        "salt", setting.round, setting.compact, setting.asker, setting.answerer, asker_share, answerer_share
    )


def _token(salt: str, one: Identifier) -> str:
    text = canonical_bytes([one.kind, one.value])
    return hashlib.scrypt(text, salt=bytes.fromhex(salt), **_COST).hex()


def _commitment(salt: str, one: Listed, opening: str) -> str:
    return _digest("commitment", salt, one.identifier.kind, one.identifier.value, one.behind, opening)


def _reference(salt: str, token: str) -> str:
    return f"same-{_digest('reference', salt, token)[:12]}"


def _digest(what: str, *parts: str) -> str:
    return hashlib.sha256(canonical_bytes(["comity-deconflict/1", what, *parts])).hexdigest()

"""Obligations, and what is signed about them: those that must be read, and one per way to fail."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.vectors.envelope_cases import Case
from tests.vectors.forger import CANADA, HONG_KONG, NOW, THAILAND, Identity, encoded, instant, jws, sha256

MALFORMED = "exchange.malformed"
ITEM = sha256(b"an envelope's signed line")
RETRACTION = sha256(b"a retraction's signed line")
LATER = instant(NOW.replace(month=7))
Row = tuple[str, str, str, bytes]
_ABSENT = object()


def _changed(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**fields, **changes}.items() if value is not _ABSENT}


def obligations(**changes: Any) -> dict[str, Any]:
    fields = {
        "originators": [CANADA.id], "audience": [CANADA.id, HONG_KONG.id], "purposes": ["trace-and-hold"],
        "actions": {"read": "allow", "disclose_onward": "ask"}, "retention_days": 90, "gradings": ["3x5x2:1-B-P"],
        "codes": ["TLP:AMBER"], "caveats": ["Intelligence only"], "sources": [ITEM],
    }  # fmt: skip
    return _changed(fields, changes)


def handling(**changes: Any) -> bytes:
    return encoded(obligations(**changes))


def handling_cases() -> list[Case]:
    """`wire` is the JSON object that stands in a manifest."""
    return _cases([
        ("ok-plain", "the plain case", "ok", handling()),
        ("ok-nobody", "an empty audience: nobody may have it", "ok", handling(audience=[])),
        ("ok-unknown-permission", "an unknown permission means ask", "ok", handling(actions={"read": "purple"})),
        ("ok-unknown-action", "an action nobody defined", "ok", handling(actions={"teleport": "allow"})),
        ("ok-unknown-field", "what a newer version adds turns every allow into ask", "ok", handling(weekday="Monday")),
        ("ok-kept-not-at-all", "retention of no days", "ok", handling(retention_days=0)),
        ("no-originator", "given by nobody", MALFORMED, handling(originators=[])),
        ("originator-form", "an originator that is no member's id", MALFORMED, handling(originators=["CA Centre"])),
        ("audience-missing", "no audience is not everybody", MALFORMED, handling(audience=_ABSENT)),
        ("audience-twice", "a member twice", MALFORMED, handling(audience=[HONG_KONG.id, HONG_KONG.id])),
        ("audience-star", "everybody is not a member", MALFORMED, handling(audience=["*"])),
        ("purposes-missing", "no purposes are not any", MALFORMED, handling(purposes=_ABSENT)),
        ("purpose-override", "a purpose that reads otherwise than it is", MALFORMED, handling(purposes=["a\u202eb"])),
        ("actions-list", "actions as a list", MALFORMED, handling(actions=["read"])),
        ("permission-true", "a permission that is no text", MALFORMED, handling(actions={"read": True})),
        ("action-name", "an action's name with a space", MALFORMED, handling(actions={"re ad": "allow"})),
        ("retention-negative", "less than no days", MALFORMED, handling(retention_days=-1)),
        ("retention-for-ever", "more than a hundred years", MALFORMED, handling(retention_days=36_526)),
        ("retention-text", "days as text", MALFORMED, handling(retention_days="90")),
        ("source-form", "a source that is no digest", MALFORMED, handling(sources=["abc"])),
        ("caveat-long", "a caveat of 501 characters", MALFORMED, handling(caveats=["x" * 501])),
        ("one-originator-text", "version 1 of the field: one originator as text", MALFORMED,
         handling(originators=_ABSENT, originator=CANADA.id)),
    ])  # fmt: skip


def word(signer: Identity = HONG_KONG, typ: str = "comity-consent+jws", **changes: Any) -> bytes:
    fields = {
        "v": 1, "answer": "grant", "question": "consent-1", "item": ITEM, "action": "disclose_onward",
        "recipient": THAILAND.id, "purpose": "trace-and-hold", "originator": HONG_KONG.id, "asker": CANADA.id,
        "at": instant(NOW), "expires": LATER, "why": "",
    }  # fmt: skip
    return jws(encoded(_changed(fields, changes)), signer.signing, typ).encode()


def consent_cases() -> list[Case]:
    """Read as an answer that Hong Kong gave; `wire` is the JWS."""
    no: dict[str, Any] = {"expires": instant(NOW)}
    return _cases([
        ("ok-grant", "the plain case", "ok", word()),
        ("ok-refusal", "a refusal", "ok", word(answer="refusal", why="The source would be known.", **no)),
        ("ok-withdrawal", "a grant is withdrawn", "ok", word(answer="withdrawal", **no)),
        ("ok-unknown-field", "a field of a newer version", "ok", word(colour="blue")),
        ("answer-unknown", "an answer nobody defined", MALFORMED, word(answer="perhaps")),
        ("grant-ended", "a grant that ends before it begins", MALFORMED, word(**no)),
        ("refusal-lasting", "a refusal with an end", MALFORMED, word(answer="refusal")),
        ("item-form", "an item that is no digest", MALFORMED, word(item="message-1")),
        ("recipient-missing", "for anybody", MALFORMED, word(recipient=_ABSENT)),
        ("recipient-star", "everybody is not a member", MALFORMED, word(recipient="*")),
        ("purpose-empty", "for any purpose", MALFORMED, word(purpose="")),
        ("expires-missing", "for ever", MALFORMED, word(expires=_ABSENT)),
        ("asker-is-originator", "a word to oneself", MALFORMED, word(asker=HONG_KONG.id)),
        ("version-two", "a version nobody speaks", MALFORMED, word(v=2)),
        ("other-signer", "Thailand signs for itself", "signature.unknown-key", word(THAILAND, originator=THAILAND.id)),
        ("other-originator", "Hong Kong consents for Thailand", "consent.mismatch", word(originator=THAILAND.id)),
        ("type-confusion", "a receipt's type", "signature.header", word(typ="comity-receipt+jws")),
        ("tampered", "another recipient under the old signature", "signature.bad", _tampered()),
    ])  # fmt: skip


def _tampered() -> bytes:
    header, _, signature = word().decode().split(".")
    payload = word(recipient=CANADA.id).decode().split(".")[1]
    return f"{header}.{payload}.{signature}".encode()


def retraction(signer: Identity = HONG_KONG, typ: str = "comity-retraction+jws", **changes: Any) -> bytes:
    fields = {
        "v": 1, "item": ITEM, "message": "message-1", "originator": HONG_KONG.id, "audience": [], "at": instant(NOW),
        "comply_by": instant(NOW.replace(day=4)), "why": "Wrong account.",
    }  # fmt: skip
    return jws(encoded(_changed(fields, changes)), signer.signing, typ).encode()


def retraction_cases() -> list[Case]:
    """Read as a retraction by Hong Kong; `wire` is the JWS."""
    return _cases([
        ("ok-retraction", "the plain case", "ok", retraction()),
        ("ok-shrinking", "left to one member", "ok", retraction(audience=[CANADA.id])),
        ("no-time", "to be complied with at once", MALFORMED, retraction(comply_by=instant(NOW))),
        ("no-end", "31 days to comply", MALFORMED, retraction(comply_by=instant(NOW.replace(month=7, day=5)))),
        ("audience-missing", "neither nobody nor somebody", MALFORMED, retraction(audience=_ABSENT)),
        ("item-form", "an item that is no digest", MALFORMED, retraction(item=ITEM[:63])),
        ("other-signer", "Thailand takes it back", "signature.unknown-key", retraction(THAILAND)),
        ("other-originator", "Hong Kong takes back what is Canada's", "retraction.mismatch",
         retraction(originator=CANADA.id)),
        ("type-confusion", "a compliance's type", "signature.header", retraction(typ="comity-compliance+jws")),
    ])  # fmt: skip


def compliance(signer: Identity = HONG_KONG, typ: str = "comity-compliance+jws", **changes: Any) -> bytes:
    fields = {
        "v": 1, "retraction": RETRACTION, "item": ITEM, "by": HONG_KONG.id, "originator": CANADA.id,
        "at": instant(NOW), "how": "erased", "why": "", "onward": [THAILAND.id],
    }  # fmt: skip
    return jws(encoded(_changed(fields, changes)), signer.signing, typ).encode()


def compliance_cases() -> list[Case]:
    """Read as a receipt of compliance by Hong Kong; `wire` is the JWS."""
    return _cases([
        ("ok-erased", "the plain case", "ok", compliance()),
        ("ok-kept", "a legal hold keeps it out of sight", "ok", compliance(how="kept", why="A legal hold.", onward=[])),
        ("ok-left", "left to who says so", "ok", compliance(how="left", onward=[])),
        ("kept-without-a-reason", "kept, and no word why", MALFORMED, compliance(how="kept")),
        ("closed-without-a-reason", "closed, and no word of what stays", MALFORMED, compliance(how="closed")),
        ("how-unknown", "complied with somehow", MALFORMED, compliance(how="later")),
        ("retraction-form", "with a retraction that is no digest", MALFORMED, compliance(retraction="r-1")),
        ("onward-twice", "a member twice", MALFORMED, compliance(onward=[THAILAND.id, THAILAND.id])),
        ("other-by", "Hong Kong says that Thailand complied", "retraction.mismatch", compliance(by=THAILAND.id)),
        ("other-signer", "Canada says that Hong Kong complied", "signature.unknown-key", compliance(CANADA)),
        ("type-confusion", "a retraction's type", "signature.header", compliance(typ="comity-retraction+jws")),
    ])  # fmt: skip


def relaxation(signer: Identity = HONG_KONG, typ: str = "comity-relaxation+jws", **changes: Any) -> bytes:
    fields = {
        "v": 1, "item": ITEM, "message": "message-1", "originator": HONG_KONG.id,
        "handling": obligations(originators=[HONG_KONG.id]), "at": instant(NOW), "why": "Released.",
    }  # fmt: skip
    return jws(encoded(_changed(fields, changes)), signer.signing, typ).encode()


def relaxation_cases() -> list[Case]:
    """Read as a relaxation by Hong Kong; `wire` is the JWS. Whether it may say so of the item is the node's."""
    return _cases([
        ("ok-relaxation", "the plain case", "ok", relaxation()),
        ("handling-missing", "nothing to go by", MALFORMED, relaxation(handling=_ABSENT)),
        ("nobodys", "obligations of no originator", MALFORMED, relaxation(handling=obligations(originators=[]))),
        ("item-form", "an item that is no digest", MALFORMED, relaxation(item=ITEM[:63])),
        ("other-signer", "Thailand widens it", "signature.unknown-key", relaxation(THAILAND)),
        ("other-originator", "Hong Kong widens what is Canada's", "relaxation.mismatch",
         relaxation(originator=CANADA.id)),
        ("type-confusion", "a retraction's type", "signature.header", relaxation(typ="comity-retraction+jws")),
    ])  # fmt: skip


GROUPS: Mapping[str, Callable[[], list[Case]]] = {
    "handling": handling_cases, "consent": consent_cases, "retraction": retraction_cases,
    "compliance": compliance_cases, "relaxation": relaxation_cases,
}  # fmt: skip


def _cases(rows: list[Row]) -> list[Case]:
    assert len({name for name, *_ in rows}) == len(rows)
    return [Case(name=name, what=what, expect=expect, wire=wire) for name, what, expect, wire in rows]

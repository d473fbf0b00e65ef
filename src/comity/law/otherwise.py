"""What may remain where the data holds no usable basis: reciprocity, an arrangement for the one case, a memorandum
between units, prosecution where the person is. None of these is in the data; each says what would have to be shown.
"""

from dataclasses import dataclass

from comity.law.authorities import Delineation, competent
from comity.law.basis import Question

ASKED: dict[str, str] = {
    "freeze": "mla",
    "mla": "mla",
    "extradition": "extradition",
    "preservation": "contact_24_7",
    "asset_recovery": "asset_recovery",
    "joint_team": "mla",
    "police_information": "police",
    "fiu_information": "fiu",
}
"""Which competence of the requested jurisdiction a request for this purpose goes to by default."""

_RECIPROCITY = (
    "reciprocity",
    "{to} may act on an assurance of reciprocity if its own law allows that: neither the law nor an assurance "
    "by {from_} is in the data",
)
_AD_HOC = (
    "ad_hoc",
    "an arrangement for this one case, through diplomatic channels: needs the consent of {to}, and none is in the data",
)
_WAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "extradition": (
        _RECIPROCITY,
        _AD_HOC,
        (
            "prosecution_there",
            "prosecution in {to} on the evidence of {from_} (UNTOC 16(10), 21): by a request for assistance",
        ),
    ),
    "police_information": (("police_memorandum", "a memorandum between the police of the two: {police}"),),
    "fiu_information": (
        ("fiu_memorandum", "a memorandum between the two financial intelligence units: none is in the data"),
        ("other_channel", "the police channel, or a request for assistance: ask for the bases of those"),
    ),
    "joint_team": (_AD_HOC, ("side_by_side", "two national investigations side by side, joined by requests")),
}
_NO_WAY_ROUND = (
    "removal under immigration law is no way round extradition: the person keeps every safeguard of "
    "`comity law check`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    kind: str
    text: str


def ways(question: Question) -> tuple[Way, ...]:
    """What may remain, most formal first; asked only where no basis is usable."""
    named = {
        "from_": question.from_,
        "to": question.to,
        "police": "its terms are not in the data" if police_memorandum(question) else "none is in the data",
    }
    found = _WAYS.get(question.for_, (_RECIPROCITY, _AD_HOC))
    said = [Way(kind=kind, text=text.format_map(named)) for kind, text in found]
    if police_memorandum(question):
        said.append(
            Way(
                kind="police_memorandum",
                text=f"a memorandum between the police of {question.pair} (June 2024) is in the data, its terms are "
                "not: it may carry police information, never extradition or evidence",
            )
        )
    if question.for_ == "extradition":
        said.append(Way(kind="caution", text=_NO_WAY_ROUND))
    return tuple({one.kind: one for one in said}.values())


def police_memorandum(question: Question) -> bool:
    """Whether the data mentions a memorandum between the police of the two."""
    rows = question.data.between("extradition", question.from_, question.to)
    return any("police_MoU" in row.status for row in rows)


def whom_to_ask(question: Question) -> Delineation:
    """Who in the requested jurisdiction is competent for this, as the register of authorities says."""
    return competent(question.to, ASKED[question.for_])

"""The markings that authorities know, as obligations, and obligations as markings (spec/handling.md §5). Pure.

In: `tighten` adds what codes demand to what was stated; a code never makes anything wider, and one that is not
known here turns every `allow` into `ask`. Out: `mark` chooses the strictest-reading code of a scheme that promises
no more than the obligations allow, and says in words what the code does not. Never upwards, either way.

Sources. TLP: FIRST, "Traffic Light Protocol (TLP), Standards Definitions and Usage Guidance, version 2.0" (August
2022): RED for the eyes and ears of individual recipients only; AMBER within their organisation and its clients;
AMBER+STRICT within the organisation only; GREEN within the community, not by publicly accessible channels; CLEAR
no limit; wider sharing needs the source's explicit permission; no other label is valid (TLP:WHITE of version 1
is not). PAP: MISP taxonomy `PAP` (CIRCL): RED only passive actions that cannot be detected; AMBER passive checks
with third parties; GREEN active actions; CLEAR (WHITE in its versions 1 and 2) no restriction. Europol: handling
codes of SIENA as in the Council's Manual on Law Enforcement Information Exchange, 6261/18: H0 only to prevent and
combat crime, under the Europol Regulation and other law; H1 not in judicial proceedings without the provider's
permission; H2 not to be disseminated without it; H3 other restrictions, in words. 3x5x2: College of Policing,
Authorised Professional Practice, Intelligence report: source 1 reliable, 2 untested, 3 not reliable; assessment A
known directly to the source, B known indirectly but corroborated, C known indirectly, D not known, E suspected to
be false; handling P lawful sharing permitted, C permitted with conditions. 4x4: Regulation (EU) 2016/794, Article
29: source A, B, C, X; information 1 to 4. The older 5x5x5 is read as unknown: what its handling codes allow depends
on who is meant by "the originating force", which an exchange between states has no equal of.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from comity.model import ACTIONS, Handling, Permission
from comity.model.handling import stricter


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Who is who for a marking: the organisation that receives, its clients, and the community (the compact)."""

    receiver: str
    clients: tuple[str, ...] = ()
    community: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A code, and `besides`: what it does not say, one sentence each, to be written beside it."""

    code: str
    besides: tuple[str, ...]


_Rule = Callable[[Handling, Circle], Handling]
_GRADED = re.compile(r"(?:3X5X2:[1-3]-[A-E]-([PC])|4X4:[ABCX]-[1-4])")
_USES = ("contact_subject", "automated_match")
_ALL_BUT_READ = tuple(action for action in ACTIONS if action != "read")


def tighten(stated: Handling, codes: Iterable[str], circle: Circle) -> Handling:
    """`stated` and what each of `codes` demands besides; the codes are kept as they came."""
    found = stated
    for code in codes:
        found = _demand(code)(found, circle)
        graded = (code,) if _GRADED.fullmatch(code.upper()) else ()
        found = replace(found, codes=(*found.codes, code), gradings=(*found.gradings, *graded))
    return found


def mark(handling: Handling, scheme: str, circle: Circle) -> Marked | None:
    """The code of `scheme` (one of `SCHEMES`) for `handling`; None where even the strictest promises too much.

    Among the codes that promise no more than is allowed, the widest, so that as little as possible is lost. A code
    that lets a thing go to unnamed others (TLP:CLEAR, TLP:AMBER, EUROPOL:H0 and H1, 3x5x2 P) is never given, since
    obligations always name their audience. PAP speaks of use, not of sharing: it goes beside another marking.
    """
    for code in _candidates(handling, scheme):
        meaning = meaning_of(code, handling, circle)
        if not _promises_more(meaning, handling):
            return Marked(code=code, besides=tuple(_besides(code, handling, circle)))
    return None


def meaning_of(code: str, handling: Handling, circle: Circle) -> Handling:
    """What a reader of the code and of `besides` may take them to permit: everything that they leave open.

    What the scheme does not speak of (TLP: use; PAP: sharing), and the purposes, are as `besides` says in words.
    """
    everybody = (circle.receiver, *circle.clients, *circle.community)
    actions = dict.fromkeys(sorted({*ACTIONS, *handling.actions}), Permission.ALLOW)
    unsaid = [action for action in actions if not _speaks_of(code, action)]
    everything = Handling(
        originators=handling.originators, audience=handling.audience if code.startswith("PAP:") else everybody,
        purposes=handling.purposes, actions=actions | {action: handling.may(action) for action in unsaid},
    )  # fmt: skip
    return tighten(everything, [code], circle)


def _speaks_of(code: str, action: str) -> bool:
    if code.startswith("PAP:"):
        return action in _USES
    return not code.startswith("TLP:") or action not in _USES


def _candidates(handling: Handling, scheme: str) -> tuple[str, ...]:
    if scheme != "3X5X2":
        return _WIDEST_FIRST[scheme]
    graded = [one for one in handling.gradings if (found := _GRADED.fullmatch(one.upper())) and found[1]]
    return (f"{graded[0][:-1]}C",) if len(graded) == 1 else ()


def _demand(code: str) -> _Rule:
    rule = _RULES.get(code.upper())
    if rule is not None:
        return rule
    graded = _GRADED.fullmatch(code.upper())
    if graded is None:
        return lambda handling, _: _at_most(handling, Permission.ASK, *{*ACTIONS, *handling.actions})
    return _conditions if graded[1] == "C" else _nothing


def _promises_more(meaning: Handling, handling: Handling) -> bool:
    """Whether anything may be done by somebody under `meaning` that `handling` does not allow them."""
    wider = not set(meaning.audience) <= set(handling.audience)
    return wider or any(
        meaning.may(action) is Permission.ALLOW and handling.may(action) is not Permission.ALLOW
        for action in {*meaning.actions, *handling.actions}
    )


def _besides(code: str, handling: Handling, circle: Circle) -> Iterable[str]:
    """What must be written in words. Purposes and retention are in no code, nor who the community is."""
    meaning = meaning_of(code, handling, circle)
    if set(meaning.audience) - {circle.receiver}:
        yield f"Community: {', '.join(meaning.audience)}."
    yield f"Only for: {', '.join(handling.purposes) or 'nothing'}."
    yield f"To be deleted after {handling.retention_days} days."
    more = set(handling.audience) - set(meaning.audience)
    if more:
        yield f"Also for: {', '.join(sorted(more))}."
    for action in meaning.actions:
        if handling.may(action) is not meaning.may(action) or not _speaks_of(code, action):
            yield f"{action.replace('_', ' ').capitalize()}: {handling.may(action)}."
    yield from handling.caveats


def _at_most(handling: Handling, most: Permission, *actions: str) -> Handling:
    changed = {action: stricter(handling.may(action), most) for action in actions}
    return replace(handling, actions={**handling.actions, **changed})


def _only(handling: Handling, members: Iterable[str]) -> Handling:
    return replace(handling, audience=tuple(set(handling.audience) & set(members)))


def _nothing(handling: Handling, _: Circle) -> Handling:
    return handling


def _conditions(handling: Handling, circle: Circle) -> Handling:
    """Conditions in words, which a person must read: everything but reading here is asked about."""
    return _at_most(
        _only(handling, [circle.receiver]),
        Permission.ASK,
        *_ALL_BUT_READ,
        *(set(handling.actions) - {"read"}),
    )


def _tlp_red(handling: Handling, circle: Circle) -> Handling:
    asked = _at_most(handling, Permission.ASK, "search", "link", "derive", "judicial_use", "automated_match")
    return _at_most(_only(asked, [circle.receiver]), Permission.DENY, "disclose_onward")


def _tlp_amber_strict(handling: Handling, circle: Circle) -> Handling:
    return _at_most(_only(handling, [circle.receiver]), Permission.ASK, "disclose_onward", "judicial_use")


def _tlp_amber(handling: Handling, circle: Circle) -> Handling:
    within = _only(handling, [circle.receiver, *circle.clients])
    return _at_most(within, Permission.ASK, "judicial_use", *(() if circle.clients else ("disclose_onward",)))


def _tlp_green(handling: Handling, circle: Circle) -> Handling:
    """A court's hearing may be public, which a community is not."""
    within = _only(handling, [circle.receiver, *circle.clients, *circle.community])
    return _at_most(within, Permission.ASK, "judicial_use")


def _pap_red(handling: Handling, _: Circle) -> Handling:
    return _at_most(_at_most(handling, Permission.DENY, "contact_subject"), Permission.ASK, "automated_match")


def _pap_amber(handling: Handling, _: Circle) -> Handling:
    return _at_most(handling, Permission.DENY, "contact_subject")


def _h1(handling: Handling, _: Circle) -> Handling:
    return _at_most(handling, Permission.ASK, "judicial_use")


def _h2(handling: Handling, circle: Circle) -> Handling:
    """Evidence given to a court is disseminated."""
    return _at_most(_only(handling, [circle.receiver]), Permission.ASK, "disclose_onward", "judicial_use")


_RULES: Mapping[str, _Rule] = {
    "TLP:RED": _tlp_red, "TLP:AMBER+STRICT": _tlp_amber_strict, "TLP:AMBER": _tlp_amber, "TLP:GREEN": _tlp_green,
    "TLP:CLEAR": _nothing,
    "PAP:RED": _pap_red, "PAP:AMBER": _pap_amber, "PAP:GREEN": _nothing, "PAP:CLEAR": _nothing,
    "PAP:WHITE": _nothing,
    "EUROPOL:H0": _nothing, "EUROPOL:H1": _h1, "EUROPOL:H2": _h2, "EUROPOL:H3": _conditions,
}  # fmt: skip
_WIDEST_FIRST: Mapping[str, tuple[str, ...]] = {
    "TLP": ("TLP:GREEN", "TLP:AMBER+STRICT", "TLP:RED"),
    "PAP": ("PAP:CLEAR", "PAP:AMBER", "PAP:RED"),
    "EUROPOL": ("EUROPOL:H2", "EUROPOL:H3"),
}
SCHEMES = (*_WIDEST_FIRST, "3X5X2")

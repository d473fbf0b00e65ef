"""What a request and its answer say where they go on from an earlier pair: only what is new (spec/trace.md).

Both ends keep the whole of what was said, so that each can be read, decided on and traced by itself; what crosses is
the difference. A difference is only taken where both ends have the same: the request names the earlier one and the
digest of all it was about. Where that does not hold the message is refused, the request lapses, and the next one
says everything.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from comity.backends.sql import Received, Transaction
from comity.casework import Case, CaseTrace, Request
from comity.errors import InputError
from comity.model import Crossing
from comity.proofs.canonical import canonical_bytes
from comity.tracing import crossing_document, gap_document, holding_document, read_crossing
from comity.tracing.chokes import choke_document
from comity.tracing.growing import Changes, changed, changes

_KEYS: Mapping[str, tuple[str, ...]] = {
    "holdings": ("account", "currency"), "exits": ("transfer_id",), "chokes": ("account", "currency"),
    "gaps": ("transfer_id", "account", "currency"),
}  # fmt: skip
"""What names a row of an answer; every other list in it is whole, or (holds) goes by its own ids."""
_MAX_ROWS = 10_000
_PRIVATE = ("round", "since")
"""Of a request as we keep it: what is ours alone, or is written anew for the way."""


# --- what is asked ---------------------------------------------------------------------------------------------


def base_of(tx: Transaction, case_id: str, peer: str) -> Request | None:
    """The request that the next one to `peer` may go on from: the last answered, if its answer is the trace we have."""
    asked = [one for one in tx.requests.of_case(case_id) if one.peer == peer and one.direction == "out"]
    answered = [one for one in asked if one.state == "answered" and one.refusal is None]
    told = _trace_of(tx, case_id, peer)
    if not answered or told is None or told.inflows != _crossings(answered[-1]):
        return None
    return answered[-1]


def failed(tx: Transaction, case_id: str, peer: str) -> bool:
    """Whether the last request to `peer` went on from another and came to nothing: then say everything."""
    asked = [one for one in tx.requests.of_case(case_id) if one.peer == peer and one.direction == "out"]
    return bool(asked) and asked[-1].state == "lapsed" and bool(asked[-1].payload.get("since"))


def since(base: Request) -> dict[str, str]:
    """How a request names the one that it goes on from."""
    return {"request": base.id, "digest": _digest(base.payload["crossings"])}


def to_say(tx: Transaction, request: Request) -> dict[str, Any]:
    """A request of ours as it goes out: the difference, or the whole where there is nothing to go on from."""
    said = {key: value for key, value in request.payload.items() if key not in _PRIVATE}
    base = _base_still(tx, request)
    if base is None:
        return said
    difference = changes(_crossings(base), _crossings(request))
    return {
        **said, "since": since(base), "withdrawn": list(difference.withdrawn),
        "crossings": [crossing_document(one) for one in difference.crossings],
    }  # fmt: skip


def withdrawn(tx: Transaction, request: Request) -> tuple[Crossing, ...]:
    """What a request of ours takes back of what was asked before."""
    return no_more(_base_still(tx, request), _crossings(request))


def no_more(base: Request | None, inflows: Sequence[Crossing]) -> tuple[Crossing, ...]:
    """What was asked in `base` and is not among `inflows`."""
    before = _crossings(base) if base is not None else ()
    gone = set(changes(before, inflows).withdrawn)
    return tuple(one for one in before if one.transfer_id in gone)


def whole_request(tx: Transaction, case: Case | None, received: Received) -> dict[str, Any]:
    """A request's payload with everything it is about; `InputError` if it goes on from what we do not have."""
    payload = received.payload
    if "since" not in payload and "withdrawn" not in payload:
        return dict(payload)
    named, gone = _since_said(payload, received.id)
    base = _answered(tx, case, received.sender, named)
    if base is None or _digest(base.payload["crossings"]) != payload["since"]["digest"]:
        raise InputError.because(
            expected="a request that goes on from one that we answered, with the same transfers",
            got=f"one that goes on from {named!r}"[:200], where=received.id,
            remedy="Ask again for all of it.",
        )  # fmt: skip
    new = tuple(read_crossing(one) for one in payload["crossings"])
    whole = changed(_crossings(base), Changes(crossings=new, withdrawn=tuple(gone)))
    return {**payload, "crossings": [crossing_document(one) for one in whole]}


def refuse_empty_pieces(crossing: Crossing, *, where: str) -> None:
    """`InputError` for a piece of nothing beside others: it says nothing, and each costs what a real one costs."""
    if len(crossing.pieces) > 1 and not all(piece.amount_minor for piece in crossing.pieces):
        raise InputError.because(
            expected="pieces of money", got=f"{crossing.transfer_id} with an empty piece among others", where=where,
            remedy="Leave out what is nothing.",
        )  # fmt: skip


# --- what is answered ------------------------------------------------------------------------------------------


def answer_to_say(tx: Transaction, request: Request, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of ours as it goes out: what differs from our answer to the request that this one goes on from."""
    named = request.payload.get("since")
    base = _answered(tx, tx.cases.get(request.case_id), request.peer, named["request"]) if named else None
    if base is None or base.answer is None:
        return dict(answer)
    before = base.answer
    said, gone = dict(answer), {}
    for name, key in _KEYS.items():
        known = {_key(row, key): row for row in before[name]}
        now = {_key(row, key): row for row in answer[name]}
        said[name] = [row for one, row in now.items() if known.get(one) != row]
        gone[name] = [list(one) for one in known if one not in now]
    holds = {hold["hold"]: hold for hold in before["holds"]}
    said["holds"] = [hold for hold in answer["holds"] if holds.get(hold["hold"]) != hold]
    return {**said, "since": base.payload["request"], "gone": gone}


def new_guesses(tx: Transaction, request: Request, unmatched: Sequence[Crossing]) -> list[Crossing]:
    """What our book does not show and our answer to the request that this one goes on from had not said already."""
    named = request.payload.get("since")
    base = _answered(tx, tx.cases.get(request.case_id), request.peer, named["request"]) if named else None
    before = base.answer if base is not None and base.answer is not None else {}
    known = {read_crossing(one) for one in before.get("unmatched", ())}
    return [one for one in unmatched if one not in known]


def whole_answer(tx: Transaction, request: Request, payload: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with all it says; `InputError` if it goes on from another than the one that we named or still have."""
    if "since" not in payload and "gone" not in payload:
        return dict(payload)
    named = (request.payload.get("since") or {}).get("request")
    told = _trace_of(tx, request.case_id, request.peer)
    base = tx.requests.get(named) if named else None
    if base is None or payload.get("since") != named or told is None or told.inflows != _crossings(base):
        raise InputError.because(
            expected="an answer that stands alone, or goes on from the one that we named",
            got=repr(payload.get("since"))[:100],
        )
    before, gone = _rows_of(told), payload.get("gone")
    if not isinstance(gone, dict) or set(gone) != set(_KEYS):
        raise InputError.because(expected=f"what is gone of {', '.join(_KEYS)}", got=repr(gone)[:100])
    return {**payload, **{name: _merged(name, before[name], payload.get(name), gone[name]) for name in _KEYS}}


def _merged(name: str, before: Sequence[dict[str, Any]], new: Any, gone: Any) -> list[dict[str, Any]]:
    key = _KEYS[name]
    for rows, shape in ((new, dict), (gone, list)):
        if (
            not isinstance(rows, list)
            or len(rows) > _MAX_ROWS
            or not all(isinstance(one, shape) for one in rows)
        ):
            raise InputError.because(
                expected=f"lists of at most {_MAX_ROWS} {name}, new and gone", got=repr(rows)[:100]
            )
    known = {_key(row, key): row for row in before}
    for one in gone:
        if _hashable(one) not in known:
            raise InputError.because(expected=f"{name} that were told before", got=repr(one)[:100])
        del known[_hashable(one)]
    return [*({**known, **{_key(row, key): row for row in new}}).values()]


def _rows_of(told: CaseTrace) -> dict[str, list[dict[str, Any]]]:
    return {
        "holdings": [holding_document(one) for one in told.trace.holdings],
        "exits": [crossing_document(one) for one in told.trace.exits],
        "gaps": [gap_document(one) for one in told.trace.gaps],
        "chokes": [choke_document(one) for one in told.chokes],
    }


# --- both ------------------------------------------------------------------------------------------------------


def answers_behind(tx: Transaction, case_id: str, peer: str) -> frozenset[str]:
    """The messages of `peer` that the trace we have of it was made from: its last answer, and those it goes on from."""
    asked = {
        one.id: one for one in tx.requests.of_case(case_id) if one.peer == peer and one.direction == "out"
    }
    told, found = _trace_of(tx, case_id, peer), set[str]()
    answered = [one for one in asked.values() if one.answer is not None]
    one = answered[-1] if told is not None and answered else None
    while one is not None and one.answer is not None:
        found.add(str(one.answer.get("message", "")))
        one = asked.get(str(one.answer.get("since", "")))
    return frozenset(found - {""})


def _base_still(tx: Transaction, request: Request) -> Request | None:
    """The request that this one was made to go on from, if its answer still stands."""
    named = request.payload.get("since")
    if not named:
        return None
    base = tx.requests.get(named["request"])
    told = _trace_of(tx, request.case_id, request.peer)
    stands = base.state == "answered" and base.refusal is None and told is not None
    return base if stands and told is not None and told.inflows == _crossings(base) else None


def messages_behind(tx: Transaction, request: Request) -> list[str]:
    """The messages of its sender that a request to us was made from: its own, and those it goes on from.

    Names of requests are their sender's: where it gave one name twice, all that have it count.
    """
    named: dict[str, list[Request]] = {}
    for one in tx.requests.of_case(request.case_id):
        if (one.direction, one.peer) == ("in", request.peer):
            named.setdefault(one.payload["request"], []).append(one)
    found, ahead = {request.id: request}, [request]
    while ahead:
        goes_on_from = (ahead.pop().payload.get("since") or {}).get("request", "")
        ahead += [one for one in named.pop(goes_on_from, ()) if one.id not in found]
        found |= {one.id: one for one in ahead}
    return [one.message_id for one in found.values()]


def _answered(tx: Transaction, case: Case | None, peer: str, named: str) -> Request | None:
    """The request of `peer` under its own name for it, that we answered, if it was not taken back since."""
    for one in tx.requests.of_case(case.id) if case is not None else ():
        ours = (one.direction, one.peer, one.state) == ("in", peer, "answered")
        if case is not None and ours and one.payload["request"] == named:
            item = tx.items.find(case.compact, peer, one.message_id)
            return one if item is not None and item.state == "held" else None
    return None


def _trace_of(tx: Transaction, case_id: str, source: str) -> CaseTrace | None:
    return next((one for one in tx.cases.traces(case_id) if one.source == source), None)


def _since_said(payload: Mapping[str, Any], where: str) -> tuple[str, list[str]]:
    named, gone = payload.get("since"), payload.get("withdrawn")
    good = isinstance(named, dict) and set(named) == {"request", "digest"}
    if not (good and all(isinstance(one, str) for one in named.values())):  # type: ignore[union-attr] # a dict
        raise InputError.because(
            expected="request and digest of the one that it goes on from", got=repr(named)[:100], where=where
        )
    if not isinstance(gone, list) or not all(isinstance(one, str) for one in gone) or len(gone) > _MAX_ROWS:
        raise InputError.because(expected="a list of withdrawn transfers", got=repr(gone)[:100], where=where)
    if len(set(gone)) != len(gone):
        raise InputError.because(expected="each withdrawn transfer once", got=repr(gone)[:100], where=where)
    return str(named["request"]), gone  # type: ignore[index] # a dict


def _crossings(request: Request) -> tuple[Crossing, ...]:
    return tuple(read_crossing(one) for one in request.payload["crossings"])


def _digest(crossings: Sequence[Mapping[str, Any]]) -> str:
    """Of all a request is about, whoever wrote it: the documents as this version writes them."""
    documents = [crossing_document(read_crossing(one)) for one in crossings]
    return hashlib.sha256(canonical_bytes(documents)).hexdigest()


def _key(row: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return _hashable([row.get(name) for name in names])


def _hashable(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(value if isinstance(value, str) else repr(value) for value in values)

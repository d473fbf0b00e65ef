"""The relational patterns said again in plain Python, row by row, with the defaults of each. Slow and obvious.

Shares no code with the expressions. Each returns {(account, currency): measures} of the strongest hit.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

DAY = 86_400
SPAN = timedelta(days=1)
Row = Mapping[str, Any]
Hits = dict[tuple[str, str], dict[str, Any]]
CRYPTO = {"BTC", "USDC", "USDT"}


def moved(rows: Sequence[Row]) -> list[dict[str, Any]]:
    kept = [one for one in rows if one["amount_minor"] > 0 and one["from_account"] != one["to_account"]]
    return [
        {
            "id": one["transfer_id"], "at": int(one["booked_at"].timestamp() // 1), "from": one["from_account"],
            "to": one["to_account"], "amount": one["amount_minor"], "currency": one["currency"],
            "into": one["to_currency"] or one["currency"],
            "arriving": one["amount_minor"] if one["to_amount_minor"] is None else one["to_amount_minor"],
            "order": (one["booked_at"], one["transfer_id"]),
        }
        for one in sorted(kept, key=lambda one: (one["booked_at"], one["transfer_id"]))
    ]  # fmt: skip


def legs(rows: Sequence[Row]) -> list[dict[str, Any]]:
    both = []
    for one in moved(rows):
        shared = {"id": one["id"], "at": one["at"], "order": one["order"]}
        both.append({**shared, "account": one["from"], "other": one["to"], "currency": one["currency"],
                     "amount": one["amount"], "in": 0, "elsewhere": one["into"]})  # fmt: skip
        both.append({**shared, "account": one["to"], "other": one["from"], "currency": one["into"],
                     "amount": one["arriving"], "in": 1, "elsewhere": one["currency"]})  # fmt: skip
    return both


def strongest(
    rows: Iterable[dict[str, Any]],
    days: int,
    measure: Callable[[list[dict[str, Any]]], dict[str, Any] | None],
    by: str,
) -> Hits:
    """The best window of each pot: windows of `days` begin every half of it."""
    windows = defaultdict(list)
    for one in rows:
        slot = one["at"] // (days * DAY // 2)
        for window in (slot - 1, slot):
            windows[one["account"], one["currency"], window].append(one)
    best: dict[tuple[str, str], tuple[Any, int, dict[str, Any]]] = {}
    for (account, currency, window), inside in windows.items():
        found = measure(inside)
        if found is not None:
            key = (account, currency)
            here = (-found[by], window, found)
            if key not in best or here[:2] < best[key][:2]:
                best[key] = here
    return {key: found for key, (_, _, found) in best.items()}


def sums(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int, int]:
    into, out = [one for one in rows if one["in"]], [one for one in rows if not one["in"]]
    return into, out, sum(one["amount"] for one in into), sum(one["amount"] for one in out)


def fan(rows: Sequence[Row], incoming: int) -> Hits:
    seen, first = set(), []
    for one in sorted((leg for leg in legs(rows) if leg["in"] == incoming), key=lambda leg: leg["order"]):
        if (one["account"], one["other"]) not in seen:
            seen.add((one["account"], one["other"]))
            first.append(one)

    def measure(inside: list[dict[str, Any]]) -> dict[str, Any] | None:
        others = len({one["other"] for one in inside})
        found = {"new_others": others, "sum_minor": sum(one["amount"] for one in inside)}
        return found if 5 <= others <= 500 else None

    return strongest(first, 14, measure, "new_others")


def gather_scatter(rows: Sequence[Row]) -> Hits:
    def measure(inside: list[dict[str, Any]]) -> dict[str, Any] | None:
        into, out, received, paid = sums(inside)
        senders, receivers = len({one["other"] for one in into}), len({one["other"] for one in out})
        if min(senders, receivers) < 3 or not 0.7 * received <= paid <= 1.05 * received:
            return None
        if Fraction(sum(one["at"] for one in into), len(into)) >= Fraction(
            sum(one["at"] for one in out), len(out)
        ):
            return None
        return {"senders": senders, "receivers": receivers, "received_minor": received, "paid_minor": paid,
                "both": len(inside)}  # fmt: skip

    found = strongest(legs(rows), 28, measure, "both")
    return {key: {name: value for name, value in one.items() if name != "both"} for key, one in found.items()}


def pass_through(rows: Sequence[Row]) -> Hits:
    def measure(inside: list[dict[str, Any]]) -> dict[str, Any] | None:
        into, out, received, paid = sums(inside)
        if len(into) < 2 or not out or not 0.9 * received <= paid <= received:
            return None
        if min(one["at"] for one in into) > min(one["at"] for one in out):
            return None
        return {"receipts": len(into), "payments": len(out), "received_minor": received, "paid_minor": paid}

    return strongest(legs(rows), 3, measure, "received_minor")


def structuring(rows: Sequence[Row]) -> Hits:
    near = [
        one
        for one in legs(rows)
        if one["currency"] in ("EUR", "USD") and 700_000 <= one["amount"] < 1_000_000
    ]

    def measure(inside: list[dict[str, Any]]) -> dict[str, Any] | None:
        best = None
        for way in (0, 1):
            some = [one["amount"] for one in inside if one["in"] == way]
            if (
                len(some) >= 3
                and sum(some) >= 1_000_000
                and (best is None or len(some) > best["near_threshold"])
            ):
                best = {
                    "near_threshold": len(some),
                    "sum_minor": sum(some),
                    "largest_minor": max(some),
                    "incoming": way,
                }
        return best

    return strongest(near, 7, measure, "near_threshold")


def crypto_in_out(rows: Sequence[Row]) -> Hits:
    def measure(inside: list[dict[str, Any]]) -> dict[str, Any] | None:
        into, out, received, paid = sums(inside)
        crossed = [sum(one["amount"] for one in way if (one["currency"] in CRYPTO) != (one["elsewhere"] in CRYPTO))
                   for way in (into, out)]  # fmt: skip
        if not sum(crossed) or not received or paid < 0.8 * received:
            return None
        if not out or min(one["at"] for one in into) > max(one["at"] for one in out):
            return None
        if crossed[0] < 0.8 * received and crossed[1] < 0.8 * paid:
            return None
        return {"received_minor": received, "paid_minor": paid, "exchanged_minor": sum(crossed)}

    return strongest(legs(rows), 3, measure, "exchanged_minor")


def dormant_active(rows: Sequence[Row]) -> Hits:
    pots = defaultdict(list)
    for one in sorted(legs(rows), key=lambda leg: (leg["order"], leg["in"])):
        pots[one["account"], one["currency"]].append(one)
    found: Hits = {}
    for key, lives in pots.items():
        best = None
        for place in range(1, len(lives)):
            slept = lives[place]["at"] - lives[place - 1]["at"]
            if slept < 90 * DAY:
                continue
            after = [one for one in lives[place:] if one["at"] - lives[place]["at"] <= 7 * DAY]
            usual = sum(one["amount"] for one in lives[:place]) / place
            total = sum(one["amount"] for one in after)
            if len(after) >= 3 and total >= 5 * usual and (best is None or total > best["sum_minor"]):
                best = {
                    "slept_days": slept // DAY,
                    "transfers": len(after),
                    "sum_minor": total,
                    "usual_minor": usual,
                }
        if best:
            found[key] = best
    return found


def round_trip(rows: Sequence[Row]) -> Hits:
    all_legs, every = legs(rows), moved(rows)
    shells = set()
    for account in {one["account"] for one in all_legs}:
        mine = [one for one in all_legs if one["account"] == account]
        if len({one["other"] for one in mine}) > 4 or len(mine) > 50:
            continue
        for currency in {one["currency"] for one in mine}:
            _, _, received, paid = sums([one for one in mine if one["currency"] == currency])
            if received > 0 and 0.8 * received <= paid <= received:
                shells.add(account)

    def onward(one: dict[str, Any], start: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            next_one for next_one in every
            if one["to"] in shells and next_one["from"] == one["to"] and next_one["currency"] == one["into"]
            and one["at"] <= next_one["at"] <= start["at"] + 30 * DAY and next_one["id"] != one["id"]
            and 0.8 * one["arriving"] <= next_one["amount"] <= one["arriving"]
        ]  # fmt: skip

    best: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}
    for first in every:
        ways = [[first, last] for last in onward(first, first)]
        ways += [[first, middle, last] for middle in onward(first, first) for last in onward(middle, first)]
        for way in ways:
            last = way[-1]
            back = last["to"] == first["from"] and last["into"] == first["currency"]
            if back and last["arriving"] >= 0.8 * first["amount"]:
                found = {
                    "left_minor": first["amount"],
                    "returned_minor": last["arriving"],
                    "shells": len(way) - 1,
                }
                order = (-last["arriving"], len(way), first["id"], last["id"])
                key = (first["from"], first["currency"])
                if key not in best or order < best[key][0]:
                    best[key] = (order, found)
    return {key: found for key, (_, found) in best.items()}


REFERENCES: Mapping[str, Callable[[Sequence[Row]], Hits]] = {
    "fan-in": lambda rows: fan(rows, 1),
    "fan-out": lambda rows: fan(rows, 0),
    "gather-scatter": gather_scatter,
    "pass-through": pass_through,
    "structuring": structuring,
    "crypto-in-out": crypto_in_out,
    "dormant-active": dormant_active,
    "round-trip": round_trip,
}


def cycle_starts(rows: Sequence[Row]) -> set[str]:
    """Ids of transfers with which a cycle begins, by trying every path."""
    every = moved(rows)

    def leads_back(path: list[dict[str, Any]]) -> bool:
        last = path[-1]
        for one in every:
            later = one["order"] > last["order"] and one["order"][0] <= path[0]["order"][0] + 30 * SPAN
            fits = one["from"] == last["to"] and one["currency"] == last["into"]
            if (
                not later
                or not fits
                or not 0.7 * last["arriving"] <= one["amount"] <= 1.05 * last["arriving"]
            ):
                continue
            if one["to"] == path[0]["from"]:
                if len(path) >= 2 and one["into"] == path[0]["currency"]:
                    return True
            elif (
                len(path) + 1 < 10
                and one["to"] not in {step["to"] for step in path}
                and leads_back([*path, one])
            ):
                return True
        return False

    return {one["id"] for one in every if leads_back([one])}


def within(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return bool(two["order"][0] <= one["order"][0] + 30 * SPAN)


def scattered(rows: Sequence[Row]) -> dict[tuple[str, str], int]:
    """(first, last account) → the most accounts between them within 30 days of scattering."""
    every = moved(rows)
    pairs = defaultdict(list)
    for one in every:
        later = [
            two for two in every
            if two["from"] == one["to"] and one["order"] < two["order"] and within(one, two)
        ]  # fmt: skip
        if len(later) > 50:
            continue
        for two in later:
            fits = (
                two["currency"] == one["into"] and 0.7 * one["arriving"] <= two["amount"] <= one["arriving"]
            )
            if fits and two["to"] != one["from"] and one["arriving"]:
                pairs[one["from"], two["to"]].append(one)
    found = {}
    for ends, ones in pairs.items():
        most = max(
            len({two["to"] for two in ones if one["order"][0] <= two["order"][0] and within(one, two)})
            for one in ones
        )  # fmt: skip
        if most >= 3:
            found[ends] = most
    return found

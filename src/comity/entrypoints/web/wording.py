"""How values read on a page: amounts, moments, durations, shares. Pure.

Times are UTC and say so. Text that came from elsewhere is made plain: control and direction-changing
characters, with which a name can be made to look like another, show as U+FFFD.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from comity.entrypoints.plain_text import plain
from comity.errors import InputError
from comity.model import format_minor
from comity.node.pages.views import Amount

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def money(amount: Amount) -> str:
    """`CAD 2,300,000.00`; minor units are named as such where nobody knows the asset's decimals."""
    assets = None if amount.digits is None else {amount.currency: amount.digits}
    try:
        return (
            format_minor(amount.minor, amount.currency, assets)
            if assets
            else format_minor(amount.minor, amount.currency)
        )
    except InputError:
        return f"{amount.currency} {amount.minor:,} (minor units)"


def brief_money(amount: Amount) -> str:
    """`CAD 2.3 M`, for narrow places: three digits, cut and not rounded. Exact amounts stand beside."""
    text = money(amount)
    currency, _, number = text.partition(" ")
    digits = number.partition(".")[0].replace(",", "")
    if not digits.isdigit() or len(digits) < 5:
        return text
    size, unit = next(step for step in ((12, "tn"), (9, "bn"), (6, "M"), (3, "k")) if len(digits) > step[0])
    point = len(digits) - size
    if point > 3:
        return f"{currency} {int(digits[:point]):,} {unit}"
    lead = f"{digits[:point]}.{digits[point:3]}".rstrip("0").rstrip(".") if point < 3 else digits[:3]
    return f"{currency} {lead} {unit}"


def moment(at: datetime) -> str:
    """`20 Jun 2025, 13:07:42 UTC`. English month names whatever the machine's locale."""
    at = at.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S} UTC"


def machine_time(at: datetime) -> str:
    """The value of `<time datetime>`."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def lasted(span: timedelta) -> str:
    """The two largest units, cut and not rounded: `6 min 12 s`, `3 d 4 h`. Sign is the caller's."""
    left = int(abs(span).total_seconds())
    for place, (size, unit) in enumerate(_STEPS):
        if left >= size:
            whole, rest = divmod(left, size)
            if place + 1 == len(_STEPS):
                return f"{whole} {unit}"
            next_size, next_unit = _STEPS[place + 1]
            below = rest // next_size
            return f"{whole} {unit} {below} {next_unit}" if below else f"{whole} {unit}"
    return "0 s"


def since_report(at: datetime, reported_at: datetime) -> str:
    """`6 min 12 s after the report`."""
    span = at - reported_at
    if abs(span) < timedelta(seconds=1):
        return "at the report"
    return f"{lasted(span)} {'after' if span > timedelta() else 'before'} the report"


def since_first(at: datetime, first: datetime) -> str:
    """`+ 6 min 12 s`, counted from the first transfer that the case knows of."""
    span = at - first
    return (
        "first transfer"
        if abs(span) < timedelta(seconds=1)
        else f"{'+' if span > timedelta() else '−'} {lasted(span)}"
    )


def first_time(times: Iterable[datetime | None], otherwise: datetime) -> datetime:
    """The earliest of the times that are known."""
    return min((at for at in times if at is not None), default=otherwise)


def from_now(at: datetime, now: datetime) -> str:
    """`in 3 d 4 h` or `2 min ago`."""
    span = at - now
    if abs(span) < timedelta(seconds=1):
        return "now"
    return f"in {lasted(span)}" if span > timedelta() else f"{lasted(span)} ago"


def percent(share: float) -> str:
    """A share of the reported value for people: whole percents, never 0 % or 100 % by rounding alone."""
    if share <= 0:
        return "0 %"
    if share < 0.01:
        return "under 1 %"
    if 0.99 < share < 0.999_999:
        return "over 99 %"
    return f"{share * 100:.0f} %"


def percents(shares: Sequence[float]) -> list[str]:
    """Whole percents that add up as the shares do (largest remainder), so that 100 is 100."""
    cut = [int(share * 100) for share in shares]
    missing = round(sum(shares) * 100) - sum(cut)
    by_remainder = sorted(range(len(shares)), key=lambda place: cut[place] - shares[place] * 100)
    for place in by_remainder[: max(0, missing)]:
        cut[place] += 1
    return [
        "under 1 %" if whole == 0 and share > 0 else f"{whole} %"
        for whole, share in zip(cut, shares, strict=True)
    ]


def coded(text: str) -> Markup:
    """What stands between backticks as code: commands in what to do next."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(plain(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(plain(piece)) if place % 2 else plain(piece)
        for place, piece in enumerate(pieces)
    )


_RULES = {
    "fifo": "first in, first out (Clayton's case)",
    "lifo": "last in, first out",
    "prorata": "in proportion (rateable sharing)",
    "libr": "own money first (lowest intermediate balance)",
    "poison": "exposure: whatever tainted money touched",
}


def rule_name(rule: str) -> str:
    return _RULES.get(rule, rule)


def worded(code: str) -> str:
    """A code as a person reads it: `central-authority` is `Central authority`. A sentence keeps its hyphens."""
    text = code if " " in code else code.replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]

"""`comity law calendar`: the working days of a jurisdiction, and when a term in them ends. No node is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.law.calendars import Calendar, Due


def law_calendar(
    jurisdiction: Annotated[str, typer.Argument(metavar="CC", help="ISO 3166-1 code, e.g. TH.")],
    year: Annotated[int | None, typer.Option("--year", help="Show the days off of this year.")] = None,
    from_: Annotated[
        str,
        typer.Option(
            "--from", metavar="TIME", help="When a term begins, with its zone: 2026-04-10T10:00+07:00."
        ),
    ] = "",
    term: Annotated[
        str, typer.Option("--term", metavar="TERM", help="5 wd (working days), 60 d, 72 h or 30 min.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show the days off of a jurisdiction, or when a term ends there; what nobody can know yet is said to be unknown.

    An unknown day is counted as a working day, so that no term lasts longer
    because of a holiday that nobody confirmed. Not legal advice.

    \b
    Examples:
      comity law calendar TH --year 2026
      comity law calendar TH --from 2026-04-10T10:00+07:00 --term "5 wd"
    """
    from comity.errors import InputError
    from comity.law.calendars import require_calendar

    calendar = require_calendar(jurisdiction)
    if from_ and term and year is None:
        _term(calendar, _time(from_), term, as_json)
    elif year is not None and not (from_ or term):
        _year(calendar, year, as_json)
    else:
        raise InputError.because(expected="either --year, or --from and --term", got="something else")


def _time(text: str) -> datetime:
    from comity.errors import InputError

    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise InputError.because(
            expected="a time with its zone, such as 2026-04-10T10:00+07:00", got=repr(text), where="--from"
        )
    return when


def _term(calendar: Calendar, start: datetime, term: str, as_json: bool) -> None:
    from comity.law.calendars import due
    from comity.law.procedure_parts import parse_term, parse_working_days

    days = parse_working_days(term)
    found = due(start, days, calendar) if days else None
    at = found.at if found else (start + parse_term(term, where="--term")).astimezone(UTC)
    if as_json:
        print_json({**_about(calendar), "from": start.isoformat(), "term": term, **_plain(at, found)})
        return
    out.print(f"{shown(term)[0]} from {start.isoformat()}: [bold]{_local(at, calendar)}[/]", highlight=False)
    for text in _reasons(calendar, found):
        out.print(shown(text)[0], highlight=False, soft_wrap=True)


def _reasons(calendar: Calendar, found: Due | None) -> list[str]:
    if found is None:
        return ["a term in hours or days runs through weekends and holidays"]
    if found.latest is None or found.latest == found.at:
        return [found.text]
    return [found.text, f"if those are days off: {_local(found.latest, calendar)}"]


def _plain(at: datetime, found: Due | None) -> dict[str, Any]:
    return {
        "due_at": at.isoformat(),
        "latest": found.latest.isoformat() if found and found.latest else None,
        "unknown": [{**as_plain(one), "date": one.date.isoformat()} for one in found.unknown]
        if found
        else [],
        "counted": found.text if found else "fixed term",
    }


def _year(calendar: Calendar, year: int, as_json: bool) -> None:
    from comity.errors import InputError
    from comity.law.calendars import days_off

    if not 1990 <= year <= 2099:
        raise InputError.because(expected="a year from 1990 to 2099", got=str(year), where="--year")
    found = days_off(calendar, year)
    if as_json:
        days = [{**as_plain(one), "date": one.date.isoformat()} for one in found]
        print_json({**_about(calendar), "year": year, "days": days})
        return
    out.print(f"[bold]{calendar.jurisdiction}[/] {year}, {_weekend(calendar)}", highlight=False)
    table = table_of("date", "", "why", whole=("date",))
    for one in found:
        table.add_row(*shown(f"{one.date:%a %Y-%m-%d}", one.kind, one.why))
    out.print(table)
    for text in (calendar.note, calendar.source):
        out.print(f"[dim]{shown(text)[0]}[/]", highlight=False, soft_wrap=True)
    out.print(f"[dim]{calendar.version}, {calendar.confidence} confidence[/]", highlight=False)


def _weekend(calendar: Calendar) -> str:
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    days = " and ".join(names[one] for one in sorted(calendar.weekend))
    known = f"; days off announced to {calendar.announced_to}" if calendar.announced_to else ""
    return f"weekend {days}, time of {calendar.zone}{known}"


def _about(calendar: Calendar) -> dict[str, Any]:
    return {
        "jurisdiction": calendar.jurisdiction, "zone": calendar.zone, "calendar": calendar.version,
        "announced_to": calendar.announced_to, "note": calendar.note, "source": calendar.source,
        "confidence": str(calendar.confidence),
    }  # fmt: skip


def _local(at: datetime, calendar: Calendar) -> str:
    """The end of a day is said as its 24:00."""
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    local = at.astimezone(ZoneInfo(calendar.zone))
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local - timedelta(days=1):%a %Y-%m-%d} 24:00 {calendar.zone} ({at:%Y-%m-%d %H:%M} UTC)"
    return f"{local:%a %Y-%m-%d %H:%M} {calendar.zone} ({at:%Y-%m-%d %H:%M} UTC)"

"""Turn templates into answers. Autoescape is always on and a name a template does not get is an error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from markupsafe import Markup, escape

from comity.entrypoints.plain_text import byte_count, plain
from comity.entrypoints.web import wording
from comity.entrypoints.web.by_country import by_country
from comity.entrypoints.web.countries import country_name

_TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """`asset` gives the address of a file under `static/`."""

    def __init__(self, *, node_name: str, asset: Callable[[str], str]) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=_without_tricks,
        )
        self._environment.globals |= {"node_name": node_name, "asset": asset}
        self._environment.filters |= {
            "money": wording.money,
            "moment": wording.moment,
            "machine_time": wording.machine_time,
            "lasted": wording.lasted,
            "bytes": byte_count,
            "by_country": by_country,
            "coded": wording.coded,
            "since_first": wording.since_first,
            "since_report": wording.since_report,
            "from_now": wording.from_now,
            "percent": wording.percent,
            "country": country_name,
            "rule_name": wording.rule_name,
            "worded": wording.worded,
            "code_spans": code_spans,
        }

    def show(
        self, template: str, *, status: int = 200, cookies: list[Cookie] | None = None, **values: Any
    ) -> Response[str]:
        text = self._environment.get_template(template).render(**values)
        return Response(text, media_type=MediaType.HTML, status_code=status, cookies=cookies or [])


def code_spans(text: str) -> Markup:
    """Names between backticks as code, as the tables of procedures write them; all else escaped."""
    parts = plain(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def _without_tricks(value: Any) -> Any:
    """Applied to everything a template prints: text that is not markup of ours is made plain."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

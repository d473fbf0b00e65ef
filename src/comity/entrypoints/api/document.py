"""The OpenAPI 3.1 document of the API, made from its routes; `spec/node-api.openapi.json` keeps a copy.

`python -m scripts.api_document` writes it, a test says when it is out of date.
"""

from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from comity.entrypoints.api.asked import BODIES
from comity.entrypoints.api.problems import PROBLEM

_BEARER = "token"
_ABOUT = """What programs may ask a node and do on it, with a token (`comity token new`) of one person in their role.
Every reading and every decision is recorded as that person's. Amounts are in minor units, times RFC 3339 in UTC,
durations ISO 8601. Law answers are not legal advice. Errors are problem+json (RFC 9457)."""


def config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Comity: a node's API for programs",
        version="1",
        description=_ABOUT,
        security=[{_BEARER: []}],
        components=Components(
            security_schemes={
                _BEARER: SecurityScheme(
                    type="http", scheme="bearer", description="A token of this node; in this header only."
                )
            }
        ),
        use_handler_docstrings=True,
        render_plugins=(),
        operation_id_creator=_operation_id,
    )


def _operation_id(_: HTTPRouteHandler, method: Method, path: list[str | PathParameterDefinition]) -> str:
    """`get_matters_matter_id_events`, stable as long as the address is."""
    parts = [part if isinstance(part, str) else part.name for part in path]
    return "_".join([method.lower(), *(part for part in parts if part not in ("api", "v1"))]).replace(
        ".", "_"
    )


def document(api: Litestar) -> dict[str, Any]:
    """The document as it is served."""
    found: dict[str, Any] = api.openapi_schema.to_schema()
    for item in found["paths"].values():
        for operation in item.values():
            _tidy(operation)
    for kind in BODIES:  # Litestar does not say so by itself
        found["components"]["schemas"][kind.__name__]["additionalProperties"] = False
    _loosen(found["components"]["schemas"])
    return found


def _loosen(schema: Any) -> None:
    """Durations have fractions of seconds: ISO 8601 knows them, the format `duration` (RFC 3339) does not."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and schema.get("format") == "duration":
        del schema["format"]
        schema["description"] = "ISO 8601 duration"
    for part in list(parts):
        _loosen(part)


def _tidy(operation: dict[str, Any]) -> None:
    """Every error is a problem: also the one that Litestar says by itself of what cannot be read."""
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and PROBLEM not in answer.get("content", {}):
            answer["content"] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}

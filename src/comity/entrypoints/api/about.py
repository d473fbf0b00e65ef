"""What the node is and runs: health, the procedures, and the description of this API itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from comity.entrypoints.api.routes import open_to_all, reading
from comity.law.procedure_files import all_procedures, procedure
from comity.law.procedures import Procedure
from comity.node.bootstrap import Node

DOCUMENT = "/openapi.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`status` is ok: the node answers, and its database can be read. Otherwise the answer is 503."""

    status: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureRow:
    name: str
    version: int
    title: str
    status: str
    sides: str
    source: str
    confidence: str
    digest: str


def about_routes(node: Node, document: Callable[[], dict[str, Any]]) -> list[HTTPRouteHandler]:
    @open_to_all("/health")
    def health() -> Health:
        """Whether the node answers and its database can be read."""
        with node.records.reading() as tx:
            tx.tokens.find("")
        return Health(status="ok", node=node.id)

    @open_to_all(DOCUMENT)
    def described() -> dict[str, Any]:
        """This API as an OpenAPI 3.1 document."""
        return document()

    @reading("/procedures")
    def procedures() -> Sequence[ProcedureRow]:
        """Every procedure there is. `sides`: two where two nodes run it together."""
        return [_row(one) for one in all_procedures()]

    @reading("/procedures/{name:str}")
    def one_procedure(name: FromPath[str]) -> Procedure:
        """A procedure, whole: states, events, guards, fields, deadlines, grounds of refusal, safeguards."""
        return procedure(name)

    return [health, described, procedures, one_procedure]


def _row(one: Procedure) -> ProcedureRow:
    return ProcedureRow(
        name=one.name, version=one.version, title=one.title, status=one.status, sides=one.sides,
        source=one.source, confidence=one.confidence, digest=one.digest,
    )  # fmt: skip

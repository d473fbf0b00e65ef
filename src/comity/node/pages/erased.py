"""What a node still says of a case that it erased: when, by whom and on which ground. Nothing of the case."""

from datetime import datetime

from comity.errors import NotFound
from comity.node.bootstrap import Node


class CaseErased(NotFound):
    """The case was here and was erased for ever."""

    code = "case.erased"
    remedy = (
        "Nothing of it can be shown. The log still proves that its events took place: comity log verify DIR"
    )


def refuse_erased(node: Node, case_id: str) -> None:
    """Raise `CaseErased`, with what the disposition says, if this case was erased and none of that name is here."""
    with node.records.reading() as tx:
        if tx.cases.find(case_id) is not None:
            return
        said = next((one for one in tx.events.of_kinds(("case.erased",)) if one.case_id == case_id), None)
    if said is not None:
        raise CaseErased(
            f"expected a case, got one that was erased {_day(said.at)} by {said.actor}: {said.body['ground']}",
            where=case_id,
        )


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"

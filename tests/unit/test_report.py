"""Taking a report: what it opens, and what is refused before anything is opened."""

from typing import Any

import pytest

from comity.errors import Conflict, InputError
from comity.node.report import report
from tests.nodes.story import CA, HK, STOLEN, row
from tests.nodes.town import Town


def refused(town: Town, document: Any, match: str = "", node_id: str = CA) -> None:
    with pytest.raises(InputError, match=match):
        report(town[node_id], document, actor="test")
    with town.looking(node_id) as tx:
        assert tx.cases.all() == []
    assert town.events(node_id, "report.received") == []


def test_a_report_is_a_case_and_an_event(town: Town) -> None:
    case = town.report(title="The forged invoice")
    with town.looking(CA) as tx:
        assert tx.cases.get(case.id) == case
        assert [one.id for one in tx.cases.to_pursue()] == [case.id]
    (event,) = town.events(CA, "report.received")
    assert event.body["amounts"] == {"USD": 1_000_000}
    assert event.body["offence"] == "cyber_fraud"
    assert (case.title, case.origin, case.origin_case) == ("The forged invoice", CA, case.id)


def test_a_part_may_be_claimed(town: Town) -> None:
    town.report(amounts={STOLEN: "1234.50"})
    (event,) = town.events(CA, "report.received")
    assert event.body["amounts"] == {"USD": 123_450}


def test_any_number_of_reports(town: Town) -> None:
    town.give(*(row(f"U-{number}", 20, "ca-shop>hk-9", 5_000) for number in range(5)))
    ids = {town.report(report_id=f"R-{number}", transfers=[f"U-{number}"]).id for number in range(5)}
    assert len(ids) == 5


def test_one_loss_is_reported_once(town: Town) -> None:
    """Under another name, or as a part of more: two cases would trace and hold the same money twice."""
    town.give(row("U-01", 20, "ca-shop>hk-9", 5_000))
    town.report()
    for transfers in ([STOLEN], ["U-01", STOLEN]):
        with pytest.raises(Conflict, match=STOLEN):
            town.report(report_id="R-2", transfers=transfers)


def test_the_same_report_twice_is_one_case(town: Town) -> None:
    town.report()
    with pytest.raises(Conflict, match="not taken before"):
        town.report()
    with town.looking(CA) as tx:
        assert len(tx.cases.all()) == 1


def test_a_peers_report_id_is_no_obstacle(town: Town) -> None:
    """Hong Kong was asked about Canada's report R-1 and takes one of its own of that name."""
    town.report()
    town.settle()
    town.give(row("U-01", 20, "hk-shop>hk-9", 5_000))
    own = town.report(HK, transfers=["U-01"])
    with town.looking(HK) as tx:
        assert {case.origin for case in tx.cases.all()} == {CA, HK}
        assert tx.cases.get(own.id).origin == HK


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "JSON object"),
        ({}, "text"),
        ({"report_id": "R-1"}, "list of transfer ids"),
        ({"report_id": "R-1", "transfers": [1]}, "list of transfer ids"),
        ({"report_id": "R-1", "transfers": []}, "at least one"),
        ({"report_id": "", "transfers": [STOLEN]}, "report_id"),
        ({"report_id": "a\nb", "transfers": [STOLEN]}, "report_id"),
        ({"report_id": "x" * 201, "transfers": [STOLEN]}, "report_id"),
        ({"report_id": "R-1", "transfers": ["T-99"]}, "in the book"),
        ({"report_id": "R-1", "transfers": [STOLEN, "T-99"]}, "in the book"),
        ({"report_id": "R-1", "transfers": [STOLEN], "amounts": {"T-02": "1.00"}}, "report names"),
        ({"report_id": "R-1", "transfers": [STOLEN], "amounts": {STOLEN: 1}}, "decimal written as text"),
        ({"report_id": "R-1", "transfers": [STOLEN], "amounts": {STOLEN: "-1.00"}}, "not negative"),
        ({"report_id": "R-1", "transfers": [STOLEN], "amounts": {STOLEN: "1.001"}}, "2 decimal digits"),
        (
            {"report_id": "R-1", "transfers": [STOLEN], "amounts": {STOLEN: "10000.01"}},
            "at most the transfer",
        ),
        ({"report_id": "R-1", "transfers": [STOLEN], "offence": "rudeness"}, "an offence"),
        ({"report_id": "R-1", "transfers": [STOLEN], "summary": 1}, "summary"),
        ({"report_id": "R-1", "transfers": [STOLEN], "title": "x" * 2_001}, "title"),
    ],
)
def test_what_cannot_be_followed_is_refused_before_anything_is_opened(
    town: Town, document: Any, says: str
) -> None:
    refused(town, document, says)


def test_a_transfer_of_another_books_customers_is_not_ours_to_report(town: Town) -> None:
    refused(town, {"report_id": "R-1", "transfers": ["T-05"]}, "in the book")


def test_an_empty_title_is_filled(town: Town) -> None:
    """The title stands for the facts where no summary is given, and a request needs facts."""
    case = town.report(title="  ", summary="")
    assert case.title == "Report R-1"
    town.settle()
    assert town.requests(CA)[0].state == "answered"


def test_a_failed_case_number_leaves_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event cannot be written: then there is no case either."""
    from comity.backends.sql.events import SqlEvents

    def refuse(self: Any, event: Any) -> None:
        raise InputError("no event")

    with monkeypatch.context() as broken:
        broken.setattr(SqlEvents, "append", refuse)
        with pytest.raises(InputError, match="no event"):
            town.report()
    with town.looking(CA) as tx:
        assert tx.cases.all() == []
    town.report()

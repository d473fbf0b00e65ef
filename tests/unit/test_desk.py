"""What people see of a node: only what their role may, each reading on record, and pages that bear anything."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from comity.errors import Forbidden, NotFound
from comity.indicators import interception
from comity.law import Action
from comity.model import Holding, Role
from comity.node.pages import desk as desks
from comity.node.pages.desk import NodeDesk
from comity.node.policy import require_with_case
from comity.proofs.merkle import leaf_hash, verify_inclusion
from tests.nodes.story import CA, HK, TH, pooled
from tests.nodes.town import EVERYBODY, Town

READERS = (Role.ANALYST, Role.SUPERVISOR, Role.CENTRAL_AUTHORITY, Role.PROSECUTOR)


@pytest.mark.parametrize("role", [role for role in Role if role not in READERS])
def test_who_may_not_see_a_case_sees_none_of_it(held: Town, role: Role) -> None:
    desk, person, case_id = NodeDesk(held[CA]), held.person(CA, role), held.case(CA).id
    event = held.events(CA, "report.received")[0]
    with pytest.raises(Forbidden):
        desk.cases(person)
    with pytest.raises(Forbidden):
        desk.case(person, case_id)
    with pytest.raises(Forbidden):
        desk.event_proof(person, event.id)
    assert held.events(CA, "case.read", "cases.listed") == []


@pytest.mark.parametrize("role", READERS)
def test_every_reading_is_an_event(held: Town, role: Role) -> None:
    desk, person, case_id = NodeDesk(held[CA]), held.person(CA, role), held.case(CA).id
    (row,) = desk.cases(person)
    page = desk.case(person, case_id)
    assert row.id == page.id == case_id
    read = held.events(CA, "cases.listed", "case.read")
    assert [(one.kind, one.actor) for one in read] == [("cases.listed", person.id), ("case.read", person.id)]
    assert page.reading.id == read[-1].id


def test_a_reading_of_nothing_leaves_no_event(held: Town) -> None:
    with pytest.raises(NotFound):
        NodeDesk(held[CA]).case(held.person(CA, Role.ANALYST), "case-nowhere")
    assert held.events(CA, "case.read") == []


def test_only_an_administrator_manages_people(held: Town) -> None:
    desk = NodeDesk(held[CA])
    for role in Role:
        if role is not Role.ADMINISTRATOR:
            with pytest.raises(Forbidden):
                desk.people(held.person(CA, role))
            with pytest.raises(Forbidden):
                desk.add_person(held.person(CA, role), "mei", Role.ANALYST)
    password = desk.add_person(held.person(CA, Role.ADMINISTRATOR), "mei", Role.ANALYST)
    signed = desk.sign_in("mei", password)
    assert signed is not None
    rows = {row.name: row for row in desk.people(held.person(CA, Role.ADMINISTRATOR))}
    assert rows["mei"].last_signed_in_at is not None
    assert rows["administrator"].last_signed_in_at is None
    who = desk.who(signed.token)
    assert who is not None
    assert who.id == "mei"
    desk.sign_out(signed.token)
    assert desk.who(signed.token) is None


def test_the_page_adds_up(held: Town) -> None:
    page = held.case_page(CA, held.case(CA).id)
    assert [(one.currency, one.minor) for one in page.reported] == [("USD", 1_000_000)]
    rests = sum(minor for (_, currency), minor in pooled().items() if currency == "USD")
    assert [(one.currency, one.minor) for one in page.traced] == [("USD", rests)]
    held_minor = sum(hold.amount_minor for node in (CA, HK, TH) for hold in held.holds(node))
    assert [one.minor for one in page.held] == [held_minor]
    assert {hold.placed_by for hold in page.holds} == {CA, HK, TH}
    assert page.status == "followed to the end"


def test_an_event_proves_itself_against_the_witnessed_log(held: Town) -> None:
    held.cosign()
    event = held.events(CA, "report.received")[0]
    proof = NodeDesk(held[CA]).event_proof(held.person(CA, Role.ANALYST), event.id)
    assert proof.log_index is not None
    assert proof.tree_size is not None
    root = proof.checkpoint.splitlines()[2]
    verify_inclusion(
        leaf_hash(bytes.fromhex(proof.entry_hash)), proof.log_index, proof.tree_size,
        tuple(bytes.fromhex(one) for one in proof.inclusion), base64.b64decode(root),
    )  # fmt: skip
    assert len(proof.cosigned_by) == len(EVERYBODY) - 1


def test_events_that_belong_to_no_case_have_no_page(held: Town) -> None:
    desk, analyst = NodeDesk(held[CA]), held.person(CA, Role.ANALYST)
    for event_id in (held.events(CA, "person.added")[0].id, "event-nowhere"):
        with pytest.raises(NotFound):
            desk.event_proof(analyst, event_id)


def test_the_public_page_is_sums_only(held: Town) -> None:
    page = NodeDesk(held[CA]).public()
    figures = {one.key: {amount.currency: amount.minor for amount in one.amounts} for one in page.figures}
    assert figures["reported"] == {"USD": 1_000_000}
    assert figures["held_here"] == {"USD": sum(hold.amount_minor for hold in held.holds(CA))}
    assert figures["held_by_partners"] == {
        "USD": sum(hold.amount_minor for node in (HK, TH) for hold in held.holds(node))
    }
    assert "ca-mule" not in repr(page)
    assert page.time_to_hold.holds == len(held.holds(CA)) + len(held.holds(CA, own=False))


def test_the_public_page_is_not_computed_for_every_visitor(
    held: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, computed = NodeDesk(held[CA]), []

    def counted(*of: Any, **more: Any) -> Any:
        computed.append(1)
        return interception(*of, **more)

    monkeypatch.setattr(desks, "interception", counted)
    pages = {id(desk.public()) for _ in range(50)}
    assert len(pages) == len(computed) == 1


def test_a_page_bears_whatever_a_peer_told(held: Town) -> None:
    """A currency nobody knows, markup in an account's name: shown, not interpreted, and nothing fails."""
    case_id = held.case(CA).id
    with held[CA].records.transaction() as tx:
        told = next(one for one in tx.cases.traces(case_id) if one.source == HK)
        odd = Holding(
            account="[/red]<script>\x1b[31m", institution="", country="HK", currency="ZZZ", tainted_minor=1,
            balance_minor=2**63 - 1,
        )  # fmt: skip
        tx.cases.put_trace(replace(told, trace=replace(told.trace, holdings=(*told.trace.holdings, odd))))
    page = held.case_page(CA, case_id)
    assert odd.account in {row.account for row in page.holdings}


def test_no_role_is_forgotten_by_the_policies(town: Town) -> None:
    for role in Role:
        allowed = True
        try:
            require_with_case(town[CA], Action.READ_CASE, town.person(CA, role))
        except Forbidden:
            allowed = False
        assert allowed is (role in READERS)

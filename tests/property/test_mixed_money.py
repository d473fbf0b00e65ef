"""Federated is pooled where money changes its kind on the way: exchanges, cash, acquirers, agents, mules, hubs,
and accounts at which tracing ends.

Everybody has a role, and pays as such people pay. Which nodes there are is drawn; a wallet of an exchange is an account
of the exchange's node, in whose book a conversion is one transfer.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.model import ChokeKind, ChokePoint, Crossing, Trace
from comity.tracing import BOOK_SCHEMA, Book, Rule, follow, questions
from comity.tracing.chokes import apart, choke_points, ending_at
from comity.tracing.growing import in_order
from tests.property.test_federated_equals_pooled import pooled_parts

START = datetime(2025, 6, 1, tzinfo=UTC)
COUNTRIES = ("CA", "HK", "KH", "PH", "SG", "TH", "VN", "ID")
CURRENCY = dict(zip(COUNTRIES, ("CAD", "HKD", "KHR", "PHP", "SGD", "THB", "VND", "IDR"), strict=True))
CRYPTO = ("USDT", "BTC")
ROLES = (
    "person",
    "mule",
    "merchant",
    "acquirer",
    "agent",
    "till",
    "wallet",
    "exchange",
    "hub",
    "omnibus",
    "mixer",
)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
Marks = Mapping[str, ChokeKind]


@dataclass(frozen=True)
class World:
    rows: list[dict[str, Any]]
    balances: dict[tuple[str, str], int]
    claims: dict[str, int | None]
    country: dict[str, str]
    marks: dict[str, ChokeKind]


# --- the money of a world ------------------------------------------------------------------------------------


def made(rng: random.Random, *, nodes: int, payments: int, marked: bool) -> World:
    """Payments between roles; thefts among them. Close amounts, so that money meets in the same accounts."""
    country, role = {}, {}
    for number in range(rng.randint(6, 16)):
        account = f"{rng.choice(ROLES)}-{number}"
        country[account], role[account] = rng.choice(COUNTRIES[:nodes]), account.partition("-")[0]
    rows = [_payment(rng, f"T{number:04d}", country, role) for number in range(payments)]
    balances = {
        (account, CURRENCY[country[account]]): rng.randint(0, 400)
        for account in country
        if rng.random() < 0.4
    }
    stolen = rng.sample(rows, min(len(rows), rng.randint(1, 4)))
    claims = {row["transfer_id"]: rng.choice([None, row["amount_minor"] // 2]) for row in stolen}
    kinds = {"omnibus": ChokeKind.OMNIBUS, "mixer": ChokeKind.MIXER, "till": ChokeKind.CASH}
    marks = {account: kinds[role[account]] for account in country if marked and role[account] in kinds}
    return World(rows, balances, claims, country, marks)


def _payment(
    rng: random.Random, name: str, country: Mapping[str, str], role: Mapping[str, str]
) -> dict[str, Any]:
    """One booking as the roles of its two ends make it."""
    sender, receiver = rng.choice(list(country)), rng.choice(list(country))
    pays, gets = _money(rng, sender, country, role), _money(rng, receiver, country, role)
    amount = rng.randint(0, 300)
    row: dict[str, Any] = {
        "transfer_id": name, "booked_at": START + timedelta(minutes=rng.randint(0, 30)),
        "from_account": sender, "to_account": receiver, "amount_minor": amount, "currency": pays,
        "to_amount_minor": None, "to_currency": None, "from_country": country[sender],
        "to_country": country[receiver], "channel": _channel(role[sender], role[receiver]),
    }  # fmt: skip
    if pays != gets:
        rate = rng.choice([(1, 7), (23, 3), (1, 1), (100, 1)])
        row |= {"to_amount_minor": amount * rate[0] // rate[1], "to_currency": gets}
    return row


def _money(rng: random.Random, account: str, country: Mapping[str, str], role: Mapping[str, str]) -> str:
    """Wallets and mixers hold crypto; exchanges and hubs anything; the others their country's money."""
    if role[account] in ("wallet", "mixer"):
        return rng.choice(CRYPTO)
    if role[account] in ("exchange", "hub"):
        return rng.choice([CURRENCY[country[account]], *CRYPTO])
    return CURRENCY[country[account]]


def _channel(sender: str, receiver: str) -> str:
    if "till" in (sender, receiver):
        return "cash"
    if "merchant" in (sender, receiver) or "acquirer" in (sender, receiver):
        return "card"
    return "crypto" if "wallet" in (sender, receiver) else "wire"


# --- one book, and many ----------------------------------------------------------------------------------------


def table(rows: list[dict[str, Any]]) -> Any:
    full = [{**dict.fromkeys(BOOK_SCHEMA.names), **row} for row in rows]
    return pa.Table.from_pylist(full, schema=BOOK_SCHEMA)


def pooled(world: World, rule: Rule) -> tuple[Trace, tuple[Crossing, ...]]:
    """One trace over everybody's rows. Of one country each: what goes to a marked account leaves the book."""
    everywhere = frozenset(COUNTRIES)
    covers = everywhere if world.marks else None
    book = Book.from_table(ending_at(table(world.rows), world.marks), balances=world.balances, covers=covers)
    trace = follow(book, rule=rule, claims=world.claims)
    left, choked = apart(trace.exits)
    assert left == ()
    return trace, choked


@dataclass
class Node:
    book: Book
    marks: Marks
    claims: dict[str, int | None]
    trace: Trace
    told: tuple[Crossing, ...] = ()

    def follow(self, rule: Rule, told: tuple[Crossing, ...]) -> None:
        self.told = told
        onward = [one for one in told if one.to_account not in self.marks]
        self.trace = follow(self.book, rule=rule, claims=self.claims, inflows=onward)
        assert self.trace.unmatched == ()

    @property
    def exits(self) -> tuple[Crossing, ...]:
        return apart(self.trace.exits)[0]

    def chokes(self, country: str) -> tuple[ChokePoint, ...]:
        straight = [one for one in self.told if one.to_account in self.marks]
        return choke_points([*apart(self.trace.exits)[1], *straight], self.marks, country=country)


def federated(world: World, rule: Rule, nodes: int) -> dict[str, Node]:
    """Each node with its own rows, marks and reports, to the fixed point."""
    found: dict[str, Node] = {}
    for country in COUNTRIES[:nodes]:
        rows = [row for row in world.rows if country in (row["from_country"], row["to_country"])]
        marks = {account: kind for account, kind in world.marks.items() if world.country[account] == country}
        balances = {pot: minor for pot, minor in world.balances.items() if world.country[pot[0]] == country}
        book = Book.from_table(ending_at(table(rows), marks), balances=balances, covers=frozenset({country}))
        sent = {row["transfer_id"] for row in rows if row["from_country"] == country}
        claims = {name: part for name, part in world.claims.items() if name in sent}
        found[country] = Node(book, marks, claims, follow(book, rule=rule, claims=claims))
    told: dict[str, tuple[Crossing, ...]] = {}
    for _ in range(len(world.rows) + 1):
        due = questions({name: node.exits for name, node in found.items()}, told, frozenset(found))
        if not due:
            return found
        for question in due:
            told[question.country] = question.inflows
            found[question.country].follow(rule, question.inflows)
    raise AssertionError("no fixed point")


def same(world: World, rule: Rule, nodes: int) -> int:
    """Holdings, flows, gaps, totals and choke points, to the minor unit; how much was choked."""
    one, choked = pooled(world, rule)
    many = federated(world, rule, nodes)
    assert pooled_parts([node.trace for node in many.values()]) == pooled_parts([one])
    told = {
        (point.account, point.currency): (point.kind, point.tainted_minor, point.transfers)
        for country, node in many.items()
        for point in node.chokes(country)
    }
    points = choke_points(choked, world.marks, country="")
    assert told == {
        (point.account, point.currency): (point.kind, point.tainted_minor, point.transfers)
        for point in points
    }
    return sum(point.tainted_minor for point in points)


@pytest.mark.parametrize("marked", [False, True], ids=["nothing marked", "marked"])
@pytest.mark.parametrize("rule", list(Rule))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(seed=st.integers(0, 2**32), nodes=st.integers(2, 8), payments=st.integers(5, 80))
def test_federated_is_pooled(rule: Rule, marked: bool, seed: int, nodes: int, payments: int) -> None:
    same(made(random.Random(seed), nodes=nodes, payments=payments, marked=marked), rule, nodes)


@pytest.mark.parametrize("rule", list(Rule))
def test_money_does_reach_what_is_marked(rule: Rule) -> None:
    """So that the test above tests something: in many worlds something is choked, on both sides of a border."""
    choked = [
        same(made(random.Random(seed), nodes=4, payments=60, marked=True), rule, 4) for seed in range(25)
    ]
    assert sum(amount > 0 for amount in choked) > 5


@pytest.mark.parametrize("rule", list(Rule))
def test_nothing_leaves_a_marked_account_tainted(rule: Rule) -> None:
    """What was marked holds nothing, and no later payment of it carries anything on."""
    for seed in range(25):
        world = made(random.Random(seed), nodes=4, payments=60, marked=True)
        trace, _ = pooled(world, rule)
        assert not {held.account for held in trace.holdings} & set(world.marks)
        sent_by = {row["transfer_id"]: row["from_account"] for row in world.rows}
        carried = {sent_by[flow.transfer_id] for flow in trace.flows if flow.transfer_id not in world.claims}
        assert not carried & set(world.marks)


@pytest.mark.parametrize("rule", list(Rule))
def test_without_marks_nothing_is_different(rule: Rule) -> None:
    world = made(random.Random(7), nodes=3, payments=60, marked=False)
    rows = table(world.rows)
    assert ending_at(rows, {}) is rows
    unheard_of = ending_at(rows, {"nobody": ChokeKind.MIXER})
    book = Book.from_table(unheard_of, balances=world.balances)
    assert follow(book, rule=rule, claims=world.claims) == pooled(world, rule)[0]


HUB_PARTIES = dict.fromkeys(Rule, 100000) | {Rule.named("poison"): 20_000}
"""Under poison all that leaves a hub is touched, in every book: fewer of them say as much."""


def hub_world(parties: int) -> World:
    """A platform with that many counterparties in three countries, through which a theft passes on to mules abroad."""
    rng = random.Random(11)
    country = {"victim": "CA", "hub": "SG"}
    rows = [_plain("T-stolen", 0, "victim", "hub", 5_000, country)]
    for number in range(parties):
        party = f"party-{number}"
        country[party] = COUNTRIES[number % 3]
        if number % 2:
            rows.append(_plain(f"T-in-{number:06d}", number, party, "hub", rng.randint(1, 90), country))
        else:
            rows.append(_plain(f"T-out-{number:06d}", number, "hub", party, rng.randint(1, 90), country))
    return World(rows, {("hub", "USD"): 700}, {"T-stolen": None}, country, {})


def _plain(
    name: str, second: int, sender: str, receiver: str, minor: int, country: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "transfer_id": name, "booked_at": START + timedelta(seconds=second), "from_account": sender,
        "to_account": receiver, "amount_minor": minor, "currency": "USD",
        "from_country": country.get(sender, "SG"), "to_country": country.get(receiver, "SG"),
    }  # fmt: skip


@pytest.mark.parametrize("rule", list(Rule))
def test_a_hub_with_very_many_counterparties(rule: Rule) -> None:
    world = hub_world(HUB_PARTIES[rule])
    covers = ("CA", "HK", "KH", "SG")
    one = follow(Book.from_table(table(world.rows), balances=world.balances), rule=rule, claims=world.claims)
    books = {
        country: Book.from_table(
            table([row for row in world.rows if country in (row["from_country"], row["to_country"])]),
            balances=world.balances if country == "SG" else {}, covers=frozenset({country}),
        )
        for country in covers
    }  # fmt: skip
    traces = {
        country: follow(book, rule=rule, claims=world.claims if country == "CA" else {})
        for country, book in books.items()
    }
    known: dict[str, tuple[Crossing, ...]] = dict.fromkeys(covers, ())
    for _ in range(4):
        exits = [crossing for trace in traces.values() for crossing in trace.exits]
        for country in covers:
            told = in_order([crossing for crossing in exits if crossing.to_country == country])
            if told == known[country]:
                continue
            known[country], claims = told, world.claims if country == "CA" else {}
            traces[country] = follow(books[country], rule=rule, claims=claims, inflows=told)
    assert pooled_parts(list(traces.values())) == pooled_parts([one])

"""Attacks that docs/threat-model.md lists and no other test makes: each is tried, and each fails."""

import ast
import gzip
import re
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from comity.backends.log_reader import FileLogReader
from comity.errors import ComityError, InputError, TrustError
from comity.exchange import Requester
from comity.exchange.batch import read_results, write_envelopes
from comity.exchange.fields import ID
from comity.exchange.mandate import Mandate, NoMandate, make_mandate
from comity.exchange.receipt import RECEIPT_TYPE
from comity.exchange.register.member import read_card
from comity.ledger import prove_entry, read_checkpoint, verify_log
from comity.ledger.prove import verify_proof
from comity.node import hear as hearing
from comity.node.hear import hear
from comity.node.log.prove import log_signer, publish_log
from comity.node.registers.peer_rules import refuse
from comity.proofs.note import verifier_of
from comity.proofs.signatures import read_unverified
from tests.nodes.hostile import Hostile
from tests.nodes.serving import answer_on, peer_surface, raw
from tests.nodes.story import CA, HK, TH, pooled
from tests.nodes.town import WATCH, Town
from tests.unit.exchange_world import compact, opened_by
from tests.vectors.forger import (
    CANADA,
    COMPACT,
    HONG_KONG,
    NOW,
    SUITE,
    THAILAND,
    Draft,
    Identity,
    Written,
    derived,
    kid,
)
from tests.vectors.hpke_reference import hpke_seal

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "comity"
XML = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;">]>'
    b"<transfers>&b;</transfers>"
)


# --- keys that were stolen -----------------------------------------------------------------------------


def test_a_stolen_signing_key_alone_speaks_for_nobody(town: Town) -> None:
    """Thailand has Hong Kong's signing key, and no TLS key but its own."""
    stolen = Hostile(town, HK).packed(CA, "receipt", {})
    with peer_surface(town[CA]), raw(town[TH], town[CA]) as connection:
        connection.sendall(post(write_envelopes([stolen.wire])))
        (result,) = read_results(answer_on(connection).partition(b"\r\n\r\n")[2])
    assert result.status == 403
    with town.looking(CA) as tx:
        assert sum(tx.inbox.counts().values()) == 0
    assert [one.body["code"] for one in town.events(CA, "alarm.message-rejected")] == [
        "exchange.not-the-sender"
    ]


def test_a_stolen_identity_is_seen_as_soon_as_its_owner_speaks(town: Town) -> None:
    """Every key of Hong Kong was stolen. Both speak; one chain cannot hold both, and people are told."""
    thief = Hostile(town, HK)
    assert thief.say(CA, "receipt", {"receipt": "by the thief"}).status == 202
    owner = Hostile(town, HK)
    assert owner.say(CA, "receipt", {"receipt": "by the owner"}, id="owner-1").status == 409
    assert len(town.events(CA, "alarm.message-order")) == 1


def test_a_stolen_decryption_key_reads_and_cannot_speak() -> None:
    """What was sealed to the key is open to the thief (SECURITY.md says so); nothing can be said with it."""
    wire = Draft().write().wire
    assert opened_by(HONG_KONG, wire).message.payload
    thief = Identity(
        id=HONG_KONG.id, name="thief", jurisdiction="HK", covers=("HK",), port=9999, seed="thief"
    )
    with pytest.raises(TrustError):
        opened_by(CANADA, Draft(sender=HONG_KONG, recipients=(CANADA,), signer=thief).write().wire)


# --- what two recipients read --------------------------------------------------------------------------


class TwoKeys(Draft):
    """Hong Kong is given the key of the ciphertext, Thailand another one."""

    def wrap(self, recipient: Identity) -> bytes:
        if recipient.id == HONG_KONG.id:
            return super().wrap(recipient)
        return hpke_seal(recipient.sealing_public, self.info(recipient), b"k" * 32, derived("two keys", 64))

    def info(self, recipient: Identity) -> bytes:
        return f"comity-wrap/1\n{SUITE}\n{self.id}\n{kid(recipient.sealing_public)}\n".encode()


def test_no_second_plaintext_for_a_second_recipient() -> None:
    """The commitment is part of what is authenticated: a key that gives other words gives none."""
    wire = TwoKeys(recipients=(HONG_KONG, THAILAND)).write().wire
    assert opened_by(HONG_KONG, wire).message.payload
    with pytest.raises(TrustError):
        opened_by(THAILAND, wire)


# --- the log -------------------------------------------------------------------------------------------


def test_an_event_of_today_has_no_place_under_yesterdays_checkpoint(town: Town) -> None:
    """Back-dating: whatever time an event claims, it is not in the tree that the witnesses cosigned before."""
    town.cosign()
    node, key = town[CA], verifier_of(log_signer(town[CA]))
    before = node.log.read("checkpoint")
    assert before is not None
    old, _ = read_checkpoint(node.log, key) or pytest.fail("no checkpoint")
    town.clock.set_wrong(CA, days=-1)
    with node.records.transaction() as tx:
        node.record(tx, "case.note", actor="insider", text="as if yesterday")
    published = publish_log(node)
    assert published is not None
    place = published.size - 1
    assert place >= old.size
    with town.looking(CA) as tx:
        entry = tx.events.recomputed_entries(place, place + 1)[0]
    proof = prove_entry(node.log, place, size=published.size, note=before)
    with pytest.raises((InputError, TrustError)):
        verify_proof(proof, entry, [key])


def test_an_insider_with_the_database_cannot_change_what_was_recorded(held: Town) -> None:
    """One word of one event, written over in SQL: the log says which entry it is."""
    publish_log(held[CA])
    with held[CA].records.transaction() as tx:
        changed = tx.events._connection.execute(
            text(
                "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'hold', 'hole') AS BLOB)"
                " WHERE kind = 'hold.placed'"
            )
        )
        assert changed.rowcount > 0
    with held.looking(CA) as tx:
        found = verify_log(
            FileLogReader(held[CA].home.log), verifier_of(log_signer(held[CA])),
            expected_entries=tx.events.recomputed_entries,
        )  # fmt: skip
    assert found.fault is not None
    assert found.fault.index is not None


# --- names ---------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=20))
def test_an_id_has_one_spelling(name: str) -> None:
    """No capital, no accent, no space, no look-alike: what is compared byte for byte cannot be written twice."""
    if ID.fullmatch(name):
        assert name == name.strip().casefold()
        assert name.isascii()
        assert not re.search(r"\s|[^a-z0-9-]", name)


@pytest.mark.parametrize(
    "spelt",
    [
        "CA-fraud-centre", "ca-fraud-centre ", " ca-fraud-centre", "ca\u2010fraud-centre", "ca-fraud-centre.",
        "c\u0430-fraud-centre", "ca-fraud-centre\n", "ca_fraud-centre", "\uff43\uff41-fraud-centre",
        "ca-fraud-centre\u200b", "../ca-fraud-centre",
    ],
    ids=ascii,
)  # fmt: skip
def test_another_spelling_of_a_members_id_is_no_card(spelt: str) -> None:
    with pytest.raises(ComityError):
        read_card(CANADA.card(id=spelt))


def test_another_spelling_of_the_sender_is_refused() -> None:
    def respelt(manifest: dict[str, object]) -> None:
        manifest["from"] = {**dict(manifest["from"]), "id": "CA-FRAUD-CENTRE"}  # type: ignore[call-overload] # a dict

    with pytest.raises(ComityError):
        opened_by(HONG_KONG, Draft(change=respelt).write().wire)


# --- who asks for whom ---------------------------------------------------------------------------------


def test_nobody_is_made_to_ask_what_another_may_not() -> None:
    """A confused deputy: Canada asks in Thailand's name with nothing to show for it, then with its mandate."""
    with pytest.raises(NoMandate):
        opened_by(HONG_KONG, for_thailand("").wire)
    assert opened_by(HONG_KONG, for_thailand(thai_mandate()).wire).message.requester.id == THAILAND.id


def test_a_member_that_was_revoked_asks_nothing_through_a_third() -> None:
    """The same mandate, once Thailand is out: whoever asks for it, nothing is heard."""
    members = tuple(one for one in compact().members if one.id != THAILAND.id)
    smaller = replace(
        compact(), members=members, cards=tuple(one for one in compact().cards if one.member in members)
    )
    with pytest.raises(TrustError):
        opened_by(HONG_KONG, for_thailand(thai_mandate()).wire, compacts={smaller.name: smaller})


def for_thailand(mandate: str) -> Written:
    """Canada asks Hong Kong, for Thailand."""

    def change(manifest: dict[str, object]) -> None:
        manifest["requester"] = {"id": THAILAND.id, "actor": "officer-7", "mandate": mandate}

    return Draft(change=change).write()


def thai_mandate() -> str:
    return make_mandate(
        Mandate(
            compact=COMPACT, requester=THAILAND.id, deputy=CANADA.id, recipients=(HONG_KONG.id,),
            type="trace_and_hold.request", purpose="tracing stolen money", expires=NOW + timedelta(days=30),
        ),
        key=THAILAND.signing,
    )  # fmt: skip


def test_a_peer_that_is_refused_is_out_with_its_next_request(town: Town) -> None:
    """On a connection that it has open: nothing is taken in, handed out or shown."""
    hostile = Hostile(town, HK)
    with peer_surface(town[CA]), raw(town[HK], town[CA]) as connection:
        connection.sendall(post(write_envelopes([hostile.packed(CA, "receipt", {}).wire])))
        assert b" 200 " in answer_on(connection)
        refuse(town[CA], HK, actor="test")
        connection.sendall(post(write_envelopes([hostile.packed(CA, "receipt", {}).wire])))
        assert answer_on(connection).startswith(b"HTTP/1.1 401")
    with town.looking(CA) as tx:
        assert sum(tx.inbox.counts().values()) == 1


# --- bombs and parsers ---------------------------------------------------------------------------------


XML_ROOMS = {
    "backends/graphs/files.py", "backends/recall_message.py", "backends/transfers/xml_stream.py",
    "backends/transfers/schemas.py", "backends/transfers/archives.py",
}  # fmt: skip
"""Files that a person here imports or writes. What they refuse is in `tests/unit/test_hostile_formats.py`."""


def test_no_xml_of_a_peer_is_ever_parsed() -> None:
    """XXE and entity bombs need an XML parser: none is within reach of what peers send, and nothing would unpickle."""
    parsers = {"xml", "lxml", "defusedxml", "html5lib", "bs4", "xmltodict", "expat", "pyexpat"}
    assert {file for file, name in imported() if name.split(".")[0] in parsers} == XML_ROOMS
    assert {name for _, name in imported() if name.split(".")[0] in {"pickle", "marshal"}} == set()
    beside = subprocess.run(
        [sys.executable, "-c", "import sys, comity.entrypoints.peer, comity.node.hear; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert {"lxml", "xml.parsers.expat"} & set(beside.stdout.split()) == set()


def test_yaml_is_read_strictly_in_one_place_and_never_a_peers() -> None:
    """Procedures, wordings and forms that ship, and what a person here writes for joint work."""
    strict = "law/strict_yaml.py"
    assert {file for file, name in imported() if name.split(".")[0] == "yaml"} == {strict}
    assert "FullLoader" not in (SOURCE / strict).read_text()
    assert "UnsafeLoader" not in (SOURCE / strict).read_text()
    assert {file for file, name in imported() if name == "comity.law.strict_yaml"} == {
        "entrypoints/cli/joint_arguments.py", "law/procedure_files.py", "law/wording.py", "node/letters/forms.py",
    }  # fmt: skip


def imported() -> Iterator[tuple[str, str]]:
    """File and module, for each import of the product."""
    for file in SOURCE.rglob("*.py"):
        where = str(file.relative_to(SOURCE))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((where, one.name) for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield where, node.module


def test_xml_from_a_peer_is_refused_like_any_bytes(town: Town) -> None:
    with peer_surface(town[CA]), raw(town[HK], town[CA]) as connection:
        connection.sendall(post(XML, "content-type: application/xml\r\n"))
        said = answer_on(connection)
    assert b" 400 " in said or b" 415 " in said
    assert b"root:" not in said


def test_a_compressed_body_is_not_unpacked(town: Town) -> None:
    """A real envelope in gzip, and a bomb: bytes are taken as they came."""
    wire = write_envelopes([Hostile(town, HK).packed(CA, "receipt", {}).wire])
    for body in (gzip.compress(wire), gzip.compress(b"\0" * 50_000_000)):
        began = time.process_time()
        with peer_surface(town[CA]), raw(town[HK], town[CA]) as connection:
            connection.sendall(post(body, "content-encoding: gzip\r\n"))
            assert re.match(rb"HTTP/1.1 4\d\d ", answer_on(connection))
        assert time.process_time() - began < 5
    with town.looking(CA) as tx:
        assert sum(tx.inbox.counts().values()) == 0


def post(body: bytes, more: str = "") -> bytes:
    head = f"POST /peer/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


# --- queues and outages --------------------------------------------------------------------------------


def test_a_message_that_breaks_our_own_code_blocks_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Poison: a handler that fails as no handler should. It is put away with an alarm, and the next is heard."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hearing, "_HANDLERS", {**hearing._HANDLERS, "poison": broken})
    hostile = Hostile(town, HK)
    assert hostile.say(CA, "poison", {}).status == 202
    assert hostile.say(CA, "something.else", {}).status == 202
    while hear(town[CA]):
        pass
    with town.looking(CA) as tx:
        assert tx.inbox.counts() == {"quarantined": 1, "handled": 1}
    alarms = [one.body["code"] for one in town.events(CA, "alarm.message-refused")]
    assert alarms[0] == "quarantined"
    assert len(alarms) == 2


def test_no_node_is_needed_by_all_the_others(town: Town) -> None:
    """Nobody is in the middle: with the witness down, and with any third member down, two still work together."""
    case = town.report()
    town.settle(down=[WATCH])
    assert town.found(case.id) == pooled()


def test_every_file_of_every_dependency_has_its_hash() -> None:
    """A package that was exchanged at the index is not installed: `uv sync --locked` compares every hash."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    others = [one for one in lock["package"] if one["source"] != {"editable": "."}]
    assert len(others) > 20
    for package in others:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert set(package["source"]) == {"registry"}, package["name"]
        for file in files:
            assert re.fullmatch("sha256:[0-9a-f]{64}", file["hash"]), package["name"]
    assert "sync --locked" in (ROOT / "scripts" / "setup").read_text(encoding="utf-8")


def test_the_lock_covers_what_the_project_asks_for() -> None:
    """Nothing that pyproject.toml names is missing in the lock, so that nothing is resolved at install time."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {one["name"] for one in lock["package"]}
    groups = [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]
    asked = {
        re.split(r"[^\w-]", one)[0].lower()
        for group in [project["project"]["dependencies"], *groups]
        for one in group
    }
    assert asked <= locked


# --- what an answer gives away -------------------------------------------------------------------------


def test_a_refusal_says_nothing_of_what_others_ask_us(held: Town) -> None:
    """A yes/no oracle: whether a number is one of our requests to another shows neither in what Thailand gets, nor in
    its size, nor in the time that it takes.
    """
    hostile = Hostile(held, TH)
    hostile.start_after(CA)
    known = next(one.id for one in held.requests(CA) if one.peer == HK)
    unknown = "request-" + "0" * (len(known) - len("request-"))
    seconds: dict[str, list[float]] = {known: [], unknown: []}
    said: set[tuple[object, ...]] = set()
    for number in range(15):
        for place, name in enumerate(seconds):
            began = time.perf_counter()
            done = hostile.say(
                CA, "trace_and_hold.answer", {"request": name}, id=f"message-{number:03d}-{place}"
            )
            while hear(held[CA]):
                pass
            seconds[name].append(time.perf_counter() - began)
            problem = str(held.events(CA, "alarm.message-refused")[-1].body["problem"])
            said.add((done.status, len(done.receipt), problem.replace(name, "X")))
    assert len(said) == 1
    one, other = (statistics.median(taken) for taken in seconds.values())
    assert 0.2 < one / other < 5


def test_no_node_acts_on_what_is_said_in_anothers_name(town: Town) -> None:
    """Even with that one's own mandate: the deputy's rights would count for the requester's wish."""
    mandate = make_mandate(
        Mandate(
            compact=town[CA].compact().name, requester=TH, deputy=HK, recipients=(CA,), type="notice", purpose="x",
            expires=town.clock() + timedelta(days=1),
        ),
        key=town[TH].keys.signing,
    )  # fmt: skip
    done = Hostile(town, HK).say(
        CA, "notice", {}, requester=Requester(id=TH, actor="officer-7", mandate=mandate)
    )
    assert done.status == 403
    assert "exchange.in-anothers-name" in read_unverified(done.receipt, typ=RECEIPT_TYPE).payload.decode()

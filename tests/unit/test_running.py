"""What a running node keeps up while it runs: new peers, new keys, ticks that no witness moves, a log in dispute."""

import ssl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.backends.courier import PeerCourier
from comity.backends.keys import prepare_generation, show_generation, use_generation
from comity.backends.witness_client import origin_id
from comity.entrypoints import serve
from comity.entrypoints.peer import tls
from comity.errors import ComityError
from comity.exchange import Answer
from comity.ledger import LogRolledBack, request_body
from comity.node.bootstrap import Node, passphrase, utc_now
from comity.node.log.prove import cosign_peer, newest_seen
from comity.node.log.publish import log_signer, publish_log
from comity.node.registers.admit import create, join
from comity.node.registers.mirrors import pins
from comity.node.run import Collecting, Proving
from comity.proofs.note import parse_note
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town


def rotate_tls(node: Node) -> None:
    keys, secret = node.home.keys, passphrase(node.home)
    made = prepare_generation(keys, secret, node_id=node.id, host="127.0.0.1", now=utc_now())
    use_generation(keys, secret, made.number)
    show_generation(keys, secret)


def test_the_certificate_that_a_rotation_shows_is_taken_up_without_a_restart(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, taken = town[CA], list[Path]()
    context = tls._context(node)
    monkeypatch.setattr(tls, "show_in", lambda where, folder, secret: taken.append(folder))
    shown = tls.show_new(node, context, tls.show_new(node, context, 0))
    assert len(taken) == 1
    rotate_tls(node)
    assert tls.show_new(node, context, shown) != shown
    assert len(taken) == 2


def test_a_rotation_opens_a_new_connection_to_every_peer(town: Town) -> None:
    node, made = town[CA], list[ssl.SSLContext]()

    def context(_: object) -> ssl.SSLContext:
        made.append(ssl.create_default_context())
        return made[-1]

    courier = PeerCourier(context, version=lambda one: pins(node, one))
    member = node.compact().member(HK)
    first = courier._client(member)
    assert courier._client(member) is first
    rotate_tls(node)
    assert courier._client(member) is not first
    courier.close()


def test_who_keeps_our_mailbox_is_asked_of_the_register_each_time(town: Town) -> None:
    polled: list[str] = []

    class Courier:
        def fetch(self, member: Any, results: bytes) -> Any:
            polled.append(member.id)
            return Answer(status=204)

    collecting = Collecting(town[HK], CA, Courier(), threading.Event())  # type: ignore[arg-type] # stands in
    assert collecting.step()
    town.remove(CA)
    assert not collecting.step()
    assert polled == [CA]


def test_a_witness_that_drags_moves_no_tick(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go = threading.Event(), threading.Event()
    proving = Proving(town[CA], town.wires.of(CA))  # type: ignore[arg-type] # stands in for PeerCourier
    proving.step()

    def drag(*_: object) -> None:
        asked.set()
        go.wait(10)

    monkeypatch.setattr(type(proving._cosigning), "gather", drag)
    thread = threading.Thread(target=proving.gather)
    thread.start()
    assert asked.wait(10)
    proving.step()  # returns while the witness drags
    assert not go.is_set()
    go.set()
    thread.join()


def test_a_contradicted_log_is_not_published_but_the_node_is_served(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contradicted(_: Node) -> None:
        raise LogRolledBack("a witness saw more")

    monkeypatch.setattr(serve, "heal_log", contradicted)
    serve._heal(town[CA])

    def full(_: Node) -> None:
        raise ComityError("the disk refused")

    monkeypatch.setattr(serve, "heal_log", full)
    with pytest.raises(ComityError):
        serve._heal(town[CA])


def test_logs_of_one_compact_are_nothing_to_members_of_another(town: Town, tmp_path: Path) -> None:
    """CA is in both compacts; HK only in the small one, so TH's log and membership are not its business."""
    file, ca = tmp_path / "small.json", town[CA]
    create(file, [town[one].home.path for one in (CA, HK)], name="small", problem="x", now=utc_now())
    ca.clock = utc_now
    join(ca, file, actor="test")
    publish_log(town[TH])
    note = parse_note(town[TH].log.read("checkpoint") or b"")
    body = request_body(0, (), note.encode())
    assert cosign_peer(ca, body, connection=WATCH).status == 200
    origin = origin_id(log_signer(town[TH]).name)
    assert newest_seen(ca, origin, caller=WATCH) is not None
    big = ca._compacts.pop("test-compact")
    members = tuple(one for one in big[1].members if one.id != HK)
    ca._compacts["test-compact"] = (big[0], replace(big[1], members=members))
    assert newest_seen(ca, origin, caller=HK) is None
    assert cosign_peer(ca, body, connection=HK).status == 404

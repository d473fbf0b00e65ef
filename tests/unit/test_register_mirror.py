"""A register over real connections: mirrors, and a rotation during which each side knows another certificate."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar

from comity.entrypoints.peer import create_peer_app, peer_config
from comity.entrypoints.peer.register import register_handler
from comity.entrypoints.peer.tls import CERTIFICATE
from comity.entrypoints.serve import Server
from comity.errors import NetworkError, TrustError
from comity.exchange import Tier
from comity.node.bootstrap import Node, utc_now
from comity.node.registers.keep import finish_rotation, sign_timestamp
from comity.node.registers.mirrors import Upkeep, update_from_mirrors
from comity.node.registers.publish import propose_change, revoking, root_key, rotate
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town
from tests.unit.test_register_node import DESK, ids

DAY = timedelta(days=1)


@pytest.fixture
def desk(town: Town) -> Town:
    town.clock.advance(seconds=(utc_now() - town.clock()).total_seconds() + 60)
    return town


@contextmanager
def mirror_served(node: Node) -> Iterator[None]:
    """The node's peer surface with its register, until the block ends."""
    app: Litestar = create_peer_app(node)
    paths = {route.path for route in app.routes}
    if not any("/peer/register" in path for path in paths):
        app.register(register_handler(node, lambda request: _who(node, request)))
    server = Server(peer_config(node, app))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)


def _who(node: Node, request: Any) -> str:
    shown = request.scope["state"].get(CERTIFICATE, b"")
    found = [compact.by_certificate(shown) for compact in node.compacts().values()]
    member = next((one for one in found if one is not None), None)
    if member is None:
        raise TrustError("no member")
    return member.id


def test_news_comes_from_any_member_that_can_be_reached(desk: Town) -> None:
    propose_change(
        desk[TH], DESK, revoking(TH, "key stolen"), key=root_key(desk[TH], None), file=None, actor="test"
    )
    with mirror_served(desk[TH]):
        update_from_mirrors(desk[HK], DESK)
    assert TH not in ids(desk[HK])
    with mirror_served(desk[HK]):
        update_from_mirrors(desk[CA], DESK)
    assert TH not in ids(desk[CA])
    with pytest.raises(NetworkError, match="no member"):
        update_from_mirrors(desk[CA], DESK)


def test_through_a_whole_rotation_peers_reach_each_other(desk: Town) -> None:
    """Hong Kong's peer has not heard of the new keys at first, hears of them, and the old ones retire."""
    rotate(desk[HK], overlap=2 * DAY, key=root_key(desk[HK], None), actor="test")
    old, new = desk[CA].compact(DESK).member(HK), desk[HK].compact(DESK).member(HK)
    with mirror_served(desk[HK]):
        update_from_mirrors(desk[CA], DESK)
        assert desk[CA].compact(DESK).member(HK) == new != old
        desk.clock.advance(hours=1)
        sign_timestamp(desk[HK], DESK)
        update_from_mirrors(desk[CA], DESK)
    desk.clock.advance(days=2)
    finish_rotation(desk[HK])
    sign_timestamp(desk[HK], DESK)
    with mirror_served(desk[HK]):
        update_from_mirrors(desk[CA], DESK)
        age = desk[CA].clock() - desk[CA].compact(DESK).fresh_at
        assert age < timedelta(minutes=1)
    with mirror_served(desk[CA]):
        update_from_mirrors(desk[HK], DESK)


def test_a_running_nodes_upkeep_hears_of_a_revocation_by_itself(desk: Town) -> None:
    propose_change(
        desk[TH], DESK, revoking(TH, "key stolen"), key=root_key(desk[TH], None), file=None, actor="test"
    )
    desk.clock.advance(days=2)
    with mirror_served(desk[HK]):
        with mirror_served(desk[TH]):
            desk.clock.advance(seconds=2)
            _step(desk[HK])  # Thailand's timestamp has run out, but its word on its own member has not
        assert TH not in ids(desk[HK])
        _step(desk[CA])
    assert TH not in ids(desk[CA])
    assert desk[CA].compact(DESK).tier(desk[CA].clock()) is Tier.FULL, "Hong Kong's node vouched for it"


def _step(node: Node) -> None:
    upkeep = Upkeep(node)
    try:
        upkeep.step()
    finally:
        upkeep.close()

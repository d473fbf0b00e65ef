"""Everything that was said had its effect once: what must hold however often a message came and a node died."""

from collections import Counter

from tests.nodes.town import Town, counts


def assert_each_message_had_one_effect(town: Town) -> None:
    """What was queued was taken once and handled once; nothing is left on the way; no request, answer or hold
    happened twice; and nobody saw anything to be alarmed about.
    """
    sent, taken = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for node in town.nodes.values():
        with node.records.reading() as tx:
            assert set(tx.outbox.counts()) <= {"accepted", "delivered", "handled"}, (
                node.id,
                tx.outbox.counts(),
            )
            assert set(tx.inbox.counts()) <= {"handled"}, (node.id, tx.inbox.counts())
        sent.update(
            (node.id, event.body["peer"], event.body["message"])
            for event in town.events(node.id, "message.queued")
        )
        taken.update(
            (event.body["peer"], node.id, event.body["message"])
            for event in town.events(node.id, "message.received")
        )
        alarms = [event for event in town.events(node.id) if event.kind.startswith("alarm.")]
        assert alarms == []
        for kind, key in (
            ("request.answered", "request"),
            ("request.refused", "request"),
            ("hold.placed", "account"),
        ):
            assert set(counts(town.events(node.id, kind), key).values()) <= {1}, (node.id, kind)
    assert sent == taken
    assert set(sent.values()) == {1}

"""Where a procedure has a second person decide: whose earlier decision it must not be."""

from comity.law.conditions import Facts, fact
from comity.law.procedures import Procedure
from comity.model import humans_in


def must_differ(one: Procedure, event: str) -> tuple[str, ...]:
    """The facts that name somebody who may not decide `event` too: `decided.submit.by`; none if anybody may."""
    guards = {name for move in one.transitions if move.event == event for name in move.guards}
    tests = (test for name in guards for test in (*one.guards[name].all, *one.guards[name].any))
    deciding = f"decided.{event}.by"
    return tuple(
        sorted({test.value for test in tests if (test.op, test.fact) == ("different_from", deciding)})
    )


def others(one: Procedure, event: str, facts: Facts) -> frozenset[str]:
    """The humans who may not decide `event`, as far as they are known; where none is, the procedure's gate is shut."""
    stated = (fact(facts, path) for path in must_differ(one, event))
    return frozenset[str]().union(*(humans_in(who) for who in stated if isinstance(who, str)))

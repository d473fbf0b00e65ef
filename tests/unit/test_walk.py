"""The walk of design §3 among nodes in one process: report, trace, ask, answer, hold, and every figure right."""

from tests.nodes.story import CA, HK, TH, pooled
from tests.nodes.town import Town, counts


def test_walk(town: Town) -> None:
    case = town.report()
    town.settle()
    town.cosign()
    assert town.found(case.id) == pooled()
    for n in (CA,HK,TH):
        print(n,[(h.account,h.amount_minor,h.state) for h in town.holds(n)], [(r.direction,r.peer,r.state,r.basis['instrument']) for r in town.requests(n)])
    town.verify_logs()

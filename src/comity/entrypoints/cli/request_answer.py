"""`comity request answer`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.matter_facts import FactsFile, Set, read_facts
from comity.entrypoints.cli.request_decide import decide_matter
from comity.entrypoints.cli.request_show import RequestId
from comity.entrypoints.cli.terminal import as_plain, out, print_json
from comity.errors import InputError


def request_answer(
    folder: NodeDir,
    request: RequestId,
    as_: As,
    facts: FactsFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Answer a request that waits for an officer: trace on in the own book, hold what rests, reply.

    A matter (request new) is answered with what its procedure's event `answer` states.

    \b
    Examples:
      comity request answer th request-0f3a… --as somchai
      comity request answer th matter-0f3a… --as suda --facts answer.json
    """
    from comity.node.answer import answer_by_hand
    from comity.node.bootstrap import open_node

    stated = read_facts(facts, set_)
    if request.startswith("matter-"):
        decide_matter(folder, request, "answer", as_, stated, as_json)
        return
    if stated:
        raise InputError.because(
            expected="nothing stated: the answer is what the own book shows",
            got=", ".join(stated),
            where=request,
        )
    node = open_node(folder)
    done = answer_by_hand(node, request, person=signed_in(node, as_))
    if as_json:
        print_json(as_plain(done))
    else:
        out.print(f"{done.id} is answered; the reply is queued for {done.peer}")

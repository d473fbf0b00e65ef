"""`comity case release`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.case_keep import Case, Ground
from comity.entrypoints.cli.terminal import out, print_json


def case_release(folder: NodeDir, case: Case, ground: Ground, as_: As, as_json: AsJson = False) -> None:
    """Lift every legal hold of a case. It is not erased by that, but may be then.

    \b
    Examples:
    comity case release ca case-5f0c… --ground "appeal dismissed" --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.erase import release_case

    node = open_node(folder)
    count = release_case(node, case, ground=ground, person=signed_in(node, as_))
    if as_json:
        print_json({"case": case, "released": count})
    else:
        out.print(f"{count} legal holds on {case} lifted", highlight=False, markup=False)

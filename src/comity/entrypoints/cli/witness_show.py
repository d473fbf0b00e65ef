"""`comity witness show`."""

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json
from comity.entrypoints.cli.witness_add import WitnessDir
from comity.entrypoints.plain_text import plain


def witness_show(folder: WitnessDir, as_json: AsJson = False) -> None:
    """Show a witness: its key, the logs it knows, what it saw, and which told two stories.

    Proofs that a log told two stories lie in DIR/misconduct; each can be
    checked by anybody with `comity log misconduct`.

    \b
    Examples:
    comity witness show ./watch
    comity witness show ./watch --json
    """
    from comity.backends.witness_folder import open_witness
    from comity.entrypoints.witness.status import status, status_text

    witness = open_witness(folder)
    if as_json:
        proofs = sorted(str(file) for file in (folder / "misconduct").glob("*.txt"))
        print_json({**status(witness), "misconduct": proofs})
        return
    out.print(plain(status_text(witness).decode()), highlight=False, markup=False, end="", soft_wrap=True)

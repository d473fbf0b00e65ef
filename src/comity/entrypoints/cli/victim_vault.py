"""`comity victim init|settle`: the victims' vault itself."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json
from comity.entrypoints.cli.victim_arguments import vault_for, vault_passphrase


def init(folder: NodeDir, as_: As, as_json: AsJson = False) -> None:
    """Create the node's victims' vault, with a key and a passphrase of its own.

    The passphrase is asked for, or taken from COMITY_VAULT_PASSPHRASE. Only
    victim-support officers should know it: the running node needs it never, and
    whoever runs the node should not have it. It is stored nowhere; without it
    nobody can open the vault again.

    \b
    Examples:
      comity victim init th --as anong
    """
    from comity.law import Action
    from comity.node.bootstrap import open_node
    from comity.node.vault.acts import create_vault, require_victim, vault_folder

    node = open_node(folder)
    person = signed_in(node, as_)
    require_victim(node, Action.WRITE_VICTIM, person)
    create_vault(node, vault_passphrase(new=True), person=person)
    if as_json:
        print_json({"vault": str(vault_folder(node))})
        return
    out.print(
        f"The victims' vault is at {vault_folder(node)}; back it up apart from the node", highlight=False
    )


def settle(folder: NodeDir, as_: As, as_json: AsJson = False) -> None:
    """Record as missing what the node's log tells of the vault and the vault does not have.

    Needed after the machine stopped in the middle of an act, or when no newer copy
    of the vault is to be had. Until then nothing more is done in the vault: a
    consent that was withdrawn might live again in an older copy.

    \b
    Examples:
      comity victim settle th --as anong
    """
    from comity.node.vault.acts import settle as settle_vault

    with vault_for(folder, as_) as vault:
        missing = settle_vault(vault)
    if as_json:
        print_json({"missing": missing})
        return
    out.print(f"{len(missing)} acts are recorded as missing", highlight=False)

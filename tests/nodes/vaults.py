"""A victims' vault at a node of the town, and a person in it whose words can be looked for everywhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from comity.model import Person, Role
from comity.node.bootstrap import Node
from comity.node.vault.acts import Vault, create_vault, opened
from comity.node.vault.people import admit
from comity.node.vault.screening import Held, screen

PASSPHRASE = b"lotus and nothing else"
NAME = "Somchai Quaggaphan"
RECORD = {
    "name": NAME, "nationality": "Zembla", "contact": "+66-555-OKAPI", "health": "Okapifieber", "notes": "Says Xolotl",
}  # fmt: skip
SECRETS = ("Quaggaphan", "Zembla", "OKAPI", "Okapifieber", "Xolotl")
"""What stands nowhere but in the record: wherever one of these is found, the vault leaked."""
INDEPENDENT = Held(
    independent_of_origin="yes", independent_of_receiver="yes", in_person="yes", interpreter="yes"
)
NO_NEED = dict.fromkeys(
    ("torture.danger", "torture.claim", "persecution.prejudice", "persecution.refugee"), "no"
)


def officer(name: str = "anong", role: Role = Role.VICTIM_SUPPORT) -> Person:
    return Person(id=name, role=role)


def found_vault(node: Node) -> None:
    create_vault(node, PASSPHRASE, person=officer())


@contextmanager
def vault_of(node: Node, person: Person | None = None, passphrase: bytes = PASSPHRASE) -> Iterator[Vault]:
    with opened(node, passphrase, person=person or officer()) as vault:
        yield vault


def admitted(node: Node, record: Mapping[str, str] = RECORD, case_id: str = "our-file-12") -> str:
    """Somebody is taken in; what the node calls them."""
    with vault_of(node) as vault:
        return admit(vault, record, case_id=case_id).pseudonym


def screened(
    node: Node, victim: str, answers: Mapping[str, str], protection: Mapping[str, str] = NO_NEED
) -> None:
    with vault_of(node) as vault:
        screen(vault, victim, by="IOM", held=INDEPENDENT, answers=answers, protection=protection)


def leaks(folder: Path, *, within: bool = True) -> list[tuple[str, str]]:
    """Files below `folder` in which one of `SECRETS` stands, in any of three encodings; `within`: the vault's too."""
    found = []
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        if within or "vault" not in file.relative_to(folder).parts:
            content = file.read_bytes()
            found += [
                (str(file.relative_to(folder)), secret)
                for secret in SECRETS
                for encoding in ("utf-8", "utf-16-le", "utf-16-be")
                if secret.encode(encoding) in content
            ]
    return found

"""The victims' vault: what is kept, what leaves it, what the log says of it, and what a kill or a full disk leaves."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from comity.backends.keys import KeysExist, KeysMissing, WrongPassphrase
from comity.backends.vault_store import Erased, VaultMismatch, VaultStore
from comity.casework.victim import NoConsent, Purpose
from comity.errors import Conflict, InputError, NotFound, StorageError
from comity.law.safeguards import Outcome
from comity.law.trafficking import Finding, indicators
from comity.model import Event
from comity.node.bootstrap import Node
from comity.node.sweep import sweep
from comity.node.vault.acts import ACTS, Unsettled, create_vault, settle, vault_folder
from comity.node.vault.consents import consent, disclose, withdraw
from comity.node.vault.people import Ground, admit, correct, erase, give_pseudonym, listed, show
from comity.node.vault.protection import REFLECTION, assess_return, protection, reflect
from comity.node.vault.screening import Held, NotStated, is_stated, require_stated, screen, state
from tests.nodes.story import TH
from tests.nodes.town import Town
from tests.nodes.vaults import (
    INDEPENDENT,
    NAME,
    NO_NEED,
    PASSPHRASE,
    RECORD,
    SECRETS,
    admitted,
    found_vault,
    leaks,
    officer,
    screened,
    vault_of,
)

NONE_FOUND = dict.fromkeys(indicators(), "no")


@pytest.fixture
def node(town: Town) -> Node:
    found_vault(town[TH])
    return town[TH]


def events(node: Node, kind: str = "") -> list[Event]:
    with node.records.reading() as tx:
        return [one for one in tx.events.all() if one.kind.startswith(kind or "victim.")]


def consented(node: Node, victim: str, purpose: Purpose, recipient: str, *fields: str, days: int = 30) -> str:
    with vault_of(node) as vault:
        given = consent(
            vault, victim, purpose=purpose, recipient=recipient, fields=fields, days=days, how="signed"
        )
    return given.id


def test_a_person_is_kept_whole_and_found_by_their_pseudonym(node: Node) -> None:
    victim = admitted(node)
    with vault_of(node) as vault:
        found = show(vault, victim)
        assert [one.pseudonym for one in listed(vault)] == [victim]
        after = correct(vault, victim, {"health": "Better"})
    assert dict(found.record) == RECORD
    assert dict(after.record) == {**RECORD, "health": "Better"}
    assert victim.startswith("victim-")
    with vault_of(node) as vault, pytest.raises(NotFound):
        show(vault, "victim-0000000000000000")


def test_the_vault_is_for_its_owner_and_made_once(node: Node) -> None:
    folder = vault_folder(node)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert not list(node.home.path.glob(".vault.*"))
    with pytest.raises(KeysExist):
        create_vault(node, PASSPHRASE, person=officer())


def test_the_vault_has_a_passphrase_of_its_own(town: Town) -> None:
    node = town[TH]
    with pytest.raises(InputError, match="the one that opens the node's keys"):
        create_vault(node, node.home.passphrase.read_bytes().strip(), person=officer())
    with pytest.raises(InputError, match="12 characters"):
        create_vault(node, b"short", person=officer())
    assert not vault_folder(node).exists()
    with pytest.raises(KeysMissing), vault_of(node):
        pass


def test_a_disk_that_refuses_leaves_no_half_a_vault(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    node = town[TH]

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("comity.node.vault.acts.create_vault_database", full)
    with pytest.raises(StorageError):
        found_vault(node)
    assert not vault_folder(node).exists()
    assert not list(node.home.path.glob(".vault.*"))
    assert not events(node)


@pytest.mark.parametrize("record", [{}, {"name": ""}, {"name": 7}, {"passport": "X"}, {"name": "x" * 20_001}])
def test_a_record_that_is_none_is_refused_without_quoting_it(node: Node, record: dict[str, object]) -> None:
    with vault_of(node) as vault, pytest.raises(InputError) as refused:
        admit(vault, record, case_id="file-1")
    assert "X" not in str(refused.value).replace("expected", "")
    assert not events(node, "victim.admitted")


def test_every_act_is_an_event_that_names_nobody(node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, {"fear": "yes"})
    consented(node, victim, Purpose.SHELTER, "refuge-1", "name", "contact")
    with vault_of(node) as vault:
        shown = disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
        show(vault, shown.person)
    kinds = [one.kind for one in events(node)]
    assert kinds == [
        "victim.vault-created", "victim.admitted", "victim.screened", "victim.consented", "victim.disclosed",
        "victim.read",
    ]  # fmt: skip
    for one in events(node):
        assert one.case_id == ""
        assert one.kind in ACTS
        assert set(one.body) <= {"act", "victim", "purpose"}
        assert not any(secret in str(one) for secret in (*SECRETS, NAME, "refuge-1", "our-file-12"))
    assert events(node, "victim.disclosed")[0].body["purpose"] == "shelter"
    assert events(node, "victim.disclosed")[0].actor == "anong"


def test_what_leaves_is_what_was_consented_to_and_no_more(node: Node) -> None:
    victim = admitted(node)
    consented(node, victim, Purpose.SHELTER, "refuge-1", "name", "whereabouts")
    with vault_of(node) as vault:
        done = disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
        assert done.record == {"name": NAME}
        assert done.person not in (victim, "")
        for purpose, recipient in ((Purpose.MEDICAL_CARE, "refuge-1"), (Purpose.SHELTER, "refuge-2")):
            with pytest.raises(NoConsent) as refused:
                disclose(vault, victim, purpose=purpose, recipient=recipient)
            assert NAME not in str(refused.value)
        assert [one.recipient for one in show(vault, victim).disclosures] == ["refuge-1"]


def test_a_consent_ends_by_itself_and_when_it_is_taken_back(town: Town, node: Node) -> None:
    victim = admitted(node)
    consented(node, victim, Purpose.SHELTER, "refuge-1", "name", days=2)
    again = consented(node, victim, Purpose.LEGAL_AID, "lawyer-1", "name", days=90)
    with vault_of(node) as vault:
        disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
        town.clock.advance(hours=48)
        with pytest.raises(NoConsent):
            disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
        disclose(vault, victim, purpose=Purpose.LEGAL_AID, recipient="lawyer-1")
        withdraw(vault, victim, again)
        with pytest.raises(NoConsent):
            disclose(vault, victim, purpose=Purpose.LEGAL_AID, recipient="lawyer-1")
        with pytest.raises(Conflict):
            withdraw(vault, victim, again)
        with pytest.raises(NotFound):
            withdraw(vault, victim, "consent-0")


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_consent_has_an_end_within_a_year(node: Node, days: int) -> None:
    victim = admitted(node)
    with pytest.raises(InputError):
        consented(node, victim, Purpose.SHELTER, "refuge-1", "name", days=days)


def test_each_recipient_knows_the_person_by_another_name_and_always_the_same(node: Node) -> None:
    victim = admitted(node)
    with vault_of(node) as vault:
        given = [
            give_pseudonym(vault, victim, case_id="", recipient=one).pseudonym for one in ("kh-nct", "cn-mps")
        ]
        other_case = give_pseudonym(vault, victim, case_id="our-file-13", recipient="kh-nct").pseudonym
        again = give_pseudonym(vault, victim, case_id="", recipient="kh-nct").pseudonym
        assert len({victim, *given, other_case}) == 4
        assert again == given[0]
        assert {show(vault, one).record["name"] for one in (*given, other_case)} == {NAME}
        with pytest.raises(InputError):
            give_pseudonym(vault, victim, case_id="", recipient="Brother of Nguyen")
        with pytest.raises(NotFound):
            give_pseudonym(vault, victim, case_id="case-0", recipient="kh-nct")


def test_no_file_joins_two_pseudonyms_without_the_key(node: Node) -> None:
    victim = admitted(node)
    with vault_of(node) as vault:
        other = give_pseudonym(vault, victim, case_id="", recipient="kh-nct").pseudonym
    for file in vault_folder(node).iterdir():
        content = file.read_bytes()
        assert victim.encode() not in content
        assert other.encode() not in content
    together = [one for one in events(node) if {victim, other} <= set(map(str, one.body.values()))]
    assert together == []


def test_a_presumption_is_never_taken_away(node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, {"documents_taken": "yes"})
    screened(node, victim, NONE_FOUND)
    with vault_of(node) as vault:
        found = show(vault, victim)
        assert found.assessment().finding is Finding.PRESUMED
        assert found.presumed_at is not None
        assert protection(vault, victim).removal.may == "no"


def test_a_screening_is_stated_for_a_hand_over_and_fits_its_guards(node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, NONE_FOUND)
    with vault_of(node) as vault, pytest.raises(NoConsent):
        state(vault, victim, recipient="cn-mps")
    consented(node, victim, Purpose.SCREENING_STATEMENT, "cn-mps")
    with vault_of(node) as vault:
        facts = state(vault, victim, recipient="cn-mps")
    for one in ("screening_victim", "screening_protection"):
        assert facts[one]["person"] == facts["person"]["id"] != victim
        assert facts[one]["by"] == "anong"
        held = ("independent_of_origin", "independent_of_receiver", "in_person", "interpreter")
        assert all(facts[one][name] is True for name in held)
    assert facts["screening_victim"]["presumed"] is False
    assert facts["screening_protection"]["need"] is False
    assert not any(secret in str(facts) for secret in SECRETS)


def test_a_hand_over_is_fed_from_statements_of_the_vault_only(node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, NONE_FOUND)
    consented(node, victim, Purpose.SCREENING_STATEMENT, "cn-mps")
    with vault_of(node) as vault:
        facts = state(vault, victim, recipient="cn-mps")
    with node.records.reading() as tx:
        require_stated(node, tx, facts)
        require_stated(node, tx, {"removal": {"person": "x"}})
        for name in ("screening_victim", "screening_protection"):
            for change in (
                {"person": "victim-other"},
                {"by": "lau"},
                {"presumed": False, "need": False, "x": 1},
            ):
                with pytest.raises(NotStated):
                    require_stated(node, tx, {name: {**facts[name], **change}})
            malformed: tuple[Any, ...] = ({}, None, "yes", [facts[name]])
            for wrong in malformed:
                with pytest.raises(NotStated):
                    require_stated(node, tx, {name: wrong})


def test_what_is_unknown_is_left_out_of_a_statement(node: Node) -> None:
    victim = admitted(node)
    consented(node, victim, Purpose.SCREENING_STATEMENT, "cn-mps")
    with vault_of(node) as vault:
        with pytest.raises(Conflict, match="screening of this very person"):
            state(vault, victim, recipient="cn-mps")
        screen(
            vault,
            victim,
            by="police",
            held=Held(independent_of_origin="yes"),
            answers=NONE_FOUND,
            protection={},
        )
        with pytest.raises(Conflict, match="screening of this very person"):
            state(vault, victim, recipient="cn-mps")
        held = Held(independent_of_origin="yes", independent_of_receiver="yes")
        screen(
            vault, victim, by="IOM", held=held, answers={"fear": "no"}, protection={"torture.danger": "no"}
        )
        said = state(vault, victim, recipient="cn-mps")
    assert said["screening_victim"]["presumed"] is False  # the first screening asked all
    assert "need" not in said["screening_protection"]
    assert "in_person" not in said["screening_victim"]


def test_a_later_screening_that_finds_more_withdraws_what_was_stated(node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, NONE_FOUND)
    consented(node, victim, Purpose.SCREENING_STATEMENT, "cn-mps")
    with vault_of(node) as vault:
        before = state(vault, victim, recipient="cn-mps")
        screen(vault, victim, by="IOM", held=INDEPENDENT, answers=NONE_FOUND, protection=NO_NEED)
        with node.records.reading() as tx:
            assert is_stated(tx, before["screening_victim"])
        screen(vault, victim, by="IOM", held=INDEPENDENT, answers={"violence": "yes"}, protection={})
        after = state(vault, victim, recipient="cn-mps")
    with node.records.reading() as tx:
        assert not is_stated(tx, before["screening_victim"])
        assert not is_stated(tx, before["screening_protection"])
        assert is_stated(tx, after["screening_victim"])
    assert after["screening_victim"]["presumed"] is True


def test_reflection_is_a_deadline_of_the_node_and_only_grows(town: Town, node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, NONE_FOUND)
    with vault_of(node) as vault:
        assert protection(vault, victim).removal.may == "yes"
        begun = reflect(vault, victim)
        assert begun.ends_at - begun.began_at == timedelta(days=30)
        assert protection(vault, victim).removal.may == "no"
        with pytest.raises(InputError, match="30 to 730 days"):
            reflect(vault, victim, days=29)
        longer = reflect(vault, victim, days=45)
        with pytest.raises(Conflict, match="an end later than"):
            reflect(vault, victim)
        town.clock.advance(days=44)
        assert protection(vault, victim).removal.may == "no"
    with node.records.reading() as tx:
        rows = {one.rule: one for one in tx.deadlines.of_subject("victim", victim) if one.state == "pending"}
    assert rows[REFLECTION].due_at == longer.ends_at
    assert rows[REFLECTION].source
    sweep(node)
    assert events(node, "deadline.reminded")[-1].body["subject_id"] == victim
    assert not events(node, "deadline.passed")
    town.clock.advance(days=1)
    sweep(node)
    assert events(node, "deadline.passed")[-1].body["subject_id"] == victim
    assert events(node, "deadline.escalated")[-1].body["role"] == "victim-support-officer"
    assert not events(node, "alarm.deadline-stuck")
    with vault_of(node) as vault:
        assert protection(vault, victim).removal.may == "yes"


def test_nobody_is_interviewed_without_consent_nor_returned_unless_safe_and_free(
    town: Town, node: Node
) -> None:
    victim = admitted(node)
    screened(node, victim, {"forced_to_offend": "yes"})
    with vault_of(node) as vault:
        found = protection(vault, victim)
        assert (found.interview.may, found.voluntary_return.may, found.removal.may) == ("no", "no", "no")
        assert found.punishment.outcome is Outcome.BARRED
        for safe, voluntary in (("no", "yes"), ("yes", "no"), ("unknown", "yes"), ("yes", "unknown")):
            done = assess_return(
                vault, victim, assessed="yes", safe=safe, voluntary=voluntary, by="IOM", text="Debts remain."
            )
            assert done.outcome is not Outcome.CLEAR
            assert protection(vault, victim).voluntary_return.may == "no"
        assess_return(
            vault, victim, assessed="yes", safe="yes", voluntary="yes", by="IOM", text="Family waits."
        )
        assert protection(vault, victim).voluntary_return.may == "yes"
        assert protection(vault, victim).removal.may == "no"
        consent(vault, victim, purpose=Purpose.INTERVIEW, recipient="th-dsi", fields=(), days=3, how="signed")
        assert protection(vault, victim).interview.may == "yes"
        town.clock.advance(days=4)
        assert protection(vault, victim).interview.may == "no"


def test_an_erased_person_cannot_be_had_back_from_any_file(town: Town, node: Node) -> None:
    victim, other = admitted(node), admitted(node, {"name": "Somebody else"})
    consented(node, victim, Purpose.SHELTER, "refuge-1", "name")
    with vault_of(node) as vault:
        disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
        reflect(vault, victim)
        with vault.store.using() as rows:
            row = rows._row(rows.get(victim).id)
            wrapped, sealed = bytes(row.wrapped), bytes(row.sealed)
        for ground in (Ground.RETENTION_ENDED, Ground.ENTERED_BY_MISTAKE):
            with pytest.raises(Conflict):
                erase(vault, victim, ground=ground)
        done = erase(vault, victim, ground=Ground.PERSON_ASKED)
        assert done.told == ("refuge-1",)
        for file in vault_folder(node).iterdir():
            content = file.read_bytes()
            assert wrapped not in content
            assert sealed[12:44] not in content
        with pytest.raises(Erased):
            show(vault, victim)
        erase(vault, victim, ground=Ground.PERSON_ASKED)
        assert [one.pseudonym for one in listed(vault)] == [other]
    assert events(node, "victim.erased")[0].body["ground"] == "person-asked"
    with node.records.reading() as tx:
        assert {one.state for one in tx.deadlines.of_subject("victim", victim)} == {"cleared"}


# --- order: recorded first, then done ---


def test_where_the_log_cannot_be_written_nothing_happens_and_nothing_leaves(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = admitted(node)
    consented(node, victim, Purpose.SHELTER, "refuge-1", "name")
    before = (vault_folder(node) / "vault.db").read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise StorageError("the disk refused: no space left on device")

    monkeypatch.setattr(Node, "record", full)
    got: list[object] = []
    with vault_of(node) as vault:
        for act in (
            lambda: disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1"),
            lambda: show(vault, victim),
            lambda: listed(vault),
            lambda: correct(vault, victim, {"name": "Another"}),
            lambda: give_pseudonym(vault, victim, case_id="", recipient="kh-nct"),
        ):
            with pytest.raises(StorageError):
                got.append(act())
    assert got == []
    monkeypatch.undo()
    assert (vault_folder(node) / "vault.db").read_bytes() == before
    with vault_of(node) as vault:
        found = show(vault, victim)
    assert found.record["name"] == NAME
    assert found.disclosures == ()


@contextmanager
def full_disk(store: VaultStore) -> Iterator[None]:
    """The vault's database takes no page more."""

    def stop(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute("PRAGMA max_page_count=1").close()

    engine: Engine = store._engine
    engine.dispose()
    event.listen(engine, "checkout", stop)
    try:
        yield
    finally:
        event.remove(engine, "checkout", stop)
        engine.dispose()


def test_where_the_vault_cannot_be_written_nothing_is_recorded(node: Node) -> None:
    victim = admitted(node)
    told = len(events(node))
    with vault_of(node) as vault:
        with full_disk(vault.store), pytest.raises(StorageError):
            correct(vault, victim, {"notes": "x" * 20_000})
        assert len(events(node)) == told
        correct(vault, victim, {"notes": "x" * 20_000})


KILLED = """
import os, sys
from pathlib import Path
from comity.casework.victim import Purpose
from comity.backends.vault_store import VaultStore
from comity.node.bootstrap import open_node
from comity.node.vault.consents import withdraw
from comity.node.vault import acts
from tests.nodes.vaults import vault_of

node = open_node(Path(sys.argv[1]))
kept = node.records.transaction
def after_the_log(*a, **k):
    return Dying(kept())
class Dying:
    def __init__(self, inner): self.inner = inner
    def __enter__(self): return self.inner.__enter__()
    def __exit__(self, *error):
        self.inner.__exit__(*error)
        os._exit(9)
node.records.transaction = after_the_log
with vault_of(node) as vault:
    withdraw(vault, sys.argv[2], sys.argv[3])
"""


def test_killed_between_log_and_vault_the_log_says_one_act_too_many_and_nothing_goes_on(node: Node) -> None:
    victim = admitted(node)
    given = consented(node, victim, Purpose.SHELTER, "refuge-1", "name")
    node.clock = lambda: consent_time(node)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(node.home.path), victim, given],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 9, done.stderr
    (told,) = events(node, "victim.consent-withdrawn")
    with vault_of(node) as vault:
        for act in (
            lambda: disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1"),
            lambda: show(vault, victim),
            lambda: withdraw(vault, victim, given),
        ):
            with pytest.raises(Unsettled):
                act()
        assert settle(vault) == [told.body["act"]]
        assert settle(vault) == []
        withdraw(vault, victim, given)
        with pytest.raises(NoConsent):
            disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
    assert events(node, "victim.act-missing")[0].body["act"] == told.body["act"]


def consent_time(node: Node) -> Any:
    """The time of the newest event: the killed process had the real clock."""
    return events(node)[-1].at


def test_a_vault_that_was_put_back_to_an_older_copy_is_noticed(node: Node) -> None:
    victim = admitted(node)
    given = consented(node, victim, Purpose.SHELTER, "refuge-1", "name")
    file = vault_folder(node) / "vault.db"
    older = file.read_bytes()
    with vault_of(node) as vault:
        withdraw(vault, victim, given)
    for one in vault_folder(node).glob("vault.db*"):
        one.unlink()
    file.write_bytes(older)
    with vault_of(node) as vault, pytest.raises(Unsettled):
        disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")


def test_a_vault_of_other_keys_is_refused(town: Town, node: Node, tmp_path: Path) -> None:
    admitted(node)
    here = vault_folder(node)
    kept = (here / "vault.db").read_bytes()
    here.rename(tmp_path / "away")
    found_vault(node)
    (here / "vault.db").write_bytes(kept)
    with pytest.raises(VaultMismatch), vault_of(node):
        pass


def test_with_another_passphrase_it_stays_shut(node: Node) -> None:
    with pytest.raises(WrongPassphrase), vault_of(node, passphrase=b"lotus and nothing els"):
        pass


def test_nothing_of_the_record_stands_in_any_file_in_clear(town: Town, node: Node) -> None:
    victim = admitted(node)
    screened(node, victim, {"violence": "yes"})
    consented(node, victim, Purpose.SHELTER, "refuge-1", "name")
    with vault_of(node) as vault:
        disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1")
        assert leaks(node.home.path) == []  # while the write-ahead logs are there too
    assert leaks(town.folder) == []

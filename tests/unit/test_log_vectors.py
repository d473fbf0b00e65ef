"""The test vectors of the log's text formats: policies, misconduct files, inclusion proofs (spec/vectors/)."""

from collections.abc import Callable

import pytest

from comity.errors import ComityError
from comity.ledger import check_misconduct, parse_misconduct, parse_policy, parse_proof, verify_proof
from comity.proofs.note import VerifierKey
from tests.unit.exchange_world import vectors
from tests.vectors.log_cases import LOG_VKEY, PROVEN, entry

KEY = VerifierKey.parse(LOG_VKEY)


def outcome(read: Callable[[bytes], object], wire: bytes) -> str:
    try:
        read(wire)
    except ComityError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize(("expect", "wire"), vectors("policy"))
def test_policies(expect: str, wire: bytes) -> None:
    assert outcome(parse_policy, wire) == expect


@pytest.mark.parametrize(("expect", "wire"), vectors("misconduct"))
def test_misconduct(expect: str, wire: bytes) -> None:
    assert outcome(lambda raw: check_misconduct(parse_misconduct(raw), KEY), wire) == expect


@pytest.mark.parametrize(("expect", "wire"), vectors("proof"))
def test_proofs(expect: str, wire: bytes) -> None:
    assert outcome(lambda raw: verify_proof(parse_proof(raw), entry(PROVEN), [KEY]), wire) == expect

"""Quorum policies: the whole form of C2SP tlog-policy, every way to break it, and what meets a quorum."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError
from comity.ledger import PolicyRefused, judge, parse_policy, publish, satisfied, verify_log
from comity.ledger.cosign import add_cosignatures
from comity.ledger.quorum import Policy, is_policy_url
from comity.proofs.cosignature import Cosignature, cosign, cosigner_of
from comity.proofs.note import KeySigner, VerifierKey, verifier_of
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, key_of

LOG = key_of("log.example")
LOG_KEY = verifier_of(LOG)
WITNESSES = {name: key_of(f"{name}.example") for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
VKEYS = {name: cosigner_of(signer) for name, signer in WITNESSES.items()}

TWO_DOMESTIC_AND_ANY_FOREIGN = f"""\
# two of three domestic oversight bodies, and any foreign one
log {LOG_KEY}

witness X1 {VKEYS["X1"]} https://x1.example/witness
witness X2 {VKEYS["X2"]}
witness\tX3 \t{VKEYS["X3"]}
group X-witnesses 2 X1 X2 X3

  witness Y1 {VKEYS["Y1"]}
witness Y2 {VKEYS["Y2"]}
witness Y3 {VKEYS["Y3"]}\t
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
\t# the rule
quorum X-and-Y
"""


def policy(text: str = TWO_DOMESTIC_AND_ANY_FOREIGN) -> Policy:
    return parse_policy(text.encode())


def by(*names: str) -> list[Cosignature]:
    return [Cosignature(key=VKEYS[name], at=NOW) for name in names]


def test_the_example_of_the_specification_is_read() -> None:
    found = policy()
    assert [known.key for known in found.logs] == [LOG_KEY]
    assert [one.name for one in found.witnesses] == list(WITNESSES)
    assert found.keys == tuple(VKEYS.values())
    assert found.witnesses[0].url == "https://x1.example/witness"
    assert [(group.name, group.threshold, len(group.members)) for group in found.groups] == [
        ("X-witnesses", 2, 3), ("Y-witnesses", 1, 3), ("X-and-Y", 2, 2),
    ]  # fmt: skip
    assert found.quorum == "X-and-Y"


def test_two_of_three_and_any_is_met_by_exactly_those() -> None:
    found = policy()
    for size in range(7):
        for chosen in itertools.combinations(WITNESSES, size):
            domestic = sum(name.startswith("X") for name in chosen)
            foreign = sum(name.startswith("Y") for name in chosen)
            assert satisfied(found, by(*chosen)) is (domestic >= 2 and foreign >= 1), chosen


def test_the_reasons_name_everybody() -> None:
    finding = judge(policy(), by("X1", "Y2"))
    assert (finding.met, finding.missing) == (False, ("X2", "X3", "Y1", "Y3"))
    assert finding.reasons[-4:] == (
        "X-witnesses: 1 of 3, 2 needed", "Y-witnesses: 1 of 3, enough", "X-and-Y: 1 of 2, 2 needed",
        "quorum X-and-Y: not met",
    )  # fmt: skip


def test_one_witness_many_times_counts_once() -> None:
    assert not satisfied(policy(), [*by("X1", "X1", "X1", "Y1")])


def test_a_cosignature_under_another_name_or_type_or_key_does_not_count() -> None:
    simple = policy(f"witness W {VKEYS['X1']}\nquorum W\n")
    assert satisfied(simple, by("X1"))
    public = VKEYS["X1"].public
    for key in (
        VerifierKey(name="other.example", kind=4, public=public),
        VerifierKey(name="X1.example", kind=1, public=public),
        VerifierKey(name="X1.example", kind=4, public=VKEYS["X2"].public),
    ):
        assert not satisfied(simple, [Cosignature(key=key, at=NOW)])


def test_the_logs_own_key_is_nobodys_witness() -> None:
    """Even where a policy names it: the log could meet the quorum alone."""
    own = VerifierKey(name="posing.example", kind=4, public=LOG_KEY.public)
    posing = policy(f"witness W {own}\nquorum W\n")
    assert not satisfied(posing, [Cosignature(key=own, at=NOW)], log=LOG_KEY)


def test_quorum_none_is_met_by_nothing_at_all() -> None:
    found = policy("quorum none\n")
    assert found.asks_nothing
    assert satisfied(found, [])


def test_names_are_octets() -> None:
    """A Kelvin sign is no K, and what is no UTF-8 may still be a name."""
    kelvin = f"witness K {VKEYS['X1']}\nwitness \N{KELVIN SIGN} {VKEYS['X2']}\nquorum \N{KELVIN SIGN}\n"
    assert not satisfied(policy(kelvin), by("X1"))
    assert satisfied(policy(kelvin), by("X2"))
    raw = b"witness \xff\xfe " + str(VKEYS["X1"]).encode() + b"\nquorum \xff\xfe\n"
    assert satisfied(parse_policy(raw), by("X1"))
    nbsp = f"witness a\N{NO-BREAK SPACE}b {VKEYS['X1']}\nquorum a\N{NO-BREAK SPACE}b\n"
    assert satisfied(policy(nbsp), by("X1"))


def test_keywords_may_be_names() -> None:
    found = policy(f"witness any {VKEYS['X1']}\nwitness 2 {VKEYS['X2']}\ngroup all 2 any 2\nquorum all\n")
    assert not satisfied(found, by("X1"))
    assert satisfied(found, by("X1", "X2"))


def test_a_quorum_may_name_a_witness_that_a_group_has_too() -> None:
    text = f"witness a {VKEYS['X1']}\nwitness b {VKEYS['X2']}\ngroup g all a b\nquorum a\n"
    assert satisfied(policy(text), by("X1"))


def test_thirty_two_of_each_and_deep_nesting_are_no_burden() -> None:
    signers = [key_of(f"w{number}.example") for number in range(200)]
    lines = [f"witness w{at} {cosigner_of(signer)}" for at, signer in enumerate(signers)]
    lines += ["group g0 any w0", *(f"group g{at} all g{at - 1} w{at}" for at in range(1, 200)), "quorum g199"]
    found = policy("".join(f"{line}\n" for line in lines))
    every = [Cosignature(key=cosigner_of(signer), at=NOW) for signer in signers]
    assert satisfied(found, every)
    assert not satisfied(found, every[1:])


A, B, C = (f"witness {name} {VKEYS[key]}\n" for name, key in (("a", "X1"), ("b", "X2"), ("c", "X3")))
END = "quorum none\n"


@pytest.mark.parametrize(
    ("line", "text", "problem"),
    [
        ("", "", "none"),
        ("", A, "none"),
        (2, A + "quorum a\n"[:-1], "newline"),
        (1, "quorum a\n" + A, "before"),
        (3, A + "quorum a\nquorum a\n", "another"),
        (2, END + END, "another"),
        (1, "quorum\n", "words"),
        (1, "quorum a b\n", "words"),
        (1, "quorum missing\n", "before"),
        (1, "Quorum none\n", "expected log"),
        (1, "quorum none # why\n", "words"),
        (1, "witnes a b\n", "expected log"),
        (1, f"log {LOG_KEY} https://a b\n" + END, "words"),
        (1, "log\n" + END, "words"),
        (2, f"log {LOG_KEY}\nlog {LOG_KEY}\n" + END, "once"),
        (1, f"log {VKEYS['X1']}\n" + END, "0x01"),
        (1, "log nonsense\n" + END, "verifier key"),
        (1, f"witness a {LOG_KEY}\n" + END, "0x04"),
        (1, "witness a\n" + END, "words"),
        (1, f"witness a {VKEYS['X1']} u v\n" + END, "words"),
        (1, f"witness none {VKEYS['X1']}\n" + END, "predefined"),
        (2, A + f"witness a {VKEYS['X2']}\n" + END, "defined before"),
        (2, A + f"witness b {VKEYS['X1']}\n" + END, "once"),
        (1, f"witness a {VKEYS['X1']}\n".replace("X1.example", "X9.example") + END, "key id"),
        (3, A + B + "group g 3 a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g 0 a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g -1 a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g +1 a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g 01 a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g ² a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g 0x1 a b\n" + END, "from 1 to 2"),
        (3, A + B + "group g Any a b\n" + END, "from 1 to 2"),
        (2, A + "group g any\n" + END, "words"),
        (2, A + "group g any none\n" + END, "before"),
        (2, A + "group g any g\n" + END, "before"),
        (2, A + "group g any later\ngroup later any a\n" + END, "before"),
        (2, A + "group g any a a\n" + END, "at most one group"),
        (3, A + "group g any a\ngroup h any a\n" + END, "at most one group"),
        (3, A + "group g any a\ngroup g any g\n" + END, "defined before"),
        (2, A + "group a any a\n" + END, "defined before"),
        (2, A + "group none any a\n" + END, "predefined"),
        (1, "quorum none\r\n", "control"),
        (1, "# a\x00b\n" + END, "control"),
        (1, "# a\x7fb\n" + END, "control"),
        (1, "quorum\x0bnone\n", "control"),
        (1, "\ufeffquorum none\n", "expected log"),
        (1, "quorum\N{NO-BREAK SPACE}none\n", "expected log"),
    ],
)  # fmt: skip
def test_every_broken_policy_is_refused_with_its_line(line: int | str, text: str, problem: str) -> None:
    with pytest.raises(PolicyRefused, match=problem) as caught:
        policy(text)
    assert caught.value.where == (f"line {line}" if line else "")
    assert caught.value.exit_status == 2


def test_a_policy_that_was_cut_off_never_asks_for_less() -> None:
    """Every prefix of the file is refused, but the one that lacks nothing: the last names are not shortened."""
    text = TWO_DOMESTIC_AND_ANY_FOREIGN.encode()
    for length in range(len(text)):
        with pytest.raises(PolicyRefused):
            parse_policy(text[:length])


@given(st.binary(max_size=300))
def test_nothing_but_our_errors_comes_of_garbage(raw: bytes) -> None:
    for attempt in (raw, raw + b"\n", TWO_DOMESTIC_AND_ANY_FOREIGN.encode() + raw + b"\n"):
        try:
            parse_policy(attempt)
        except InputError:
            continue


def test_too_long_a_policy_is_refused() -> None:
    with pytest.raises(PolicyRefused, match="bytes"):
        parse_policy(b"#" * 300_000 + b"\nquorum none\n")
    with pytest.raises(PolicyRefused, match="lines"):
        parse_policy(b"\n" * 5_000 + b"quorum none\n")


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://w.example", True), ("https://w.example/", True), ("http://127.0.0.1:7090/a/b", True),
        ("https://[::1]:80/x", True), ("ftp://w.example", False), ("https://", False), ("w.example", False),
        ("https://user@w.example", False), ("https://w.example/?q", False), ("https://w.example/#f", False),
        ("https://w.example\\@evil.example/", False), ("file:///etc/passwd", False),
    ],
)  # fmt: skip
def test_addresses(url: str, good: bool) -> None:
    assert is_policy_url(url) is good


def cosigned_log(signers: Iterable[KeySigner]) -> MemoryTiles:
    tiles = MemoryTiles()
    checkpoint = publish(MemoryEvents(5), tiles, LOG, now=NOW)
    assert checkpoint is not None
    lines = "".join(str(cosign(checkpoint.text, signer, at=NOW)) for signer in signers)
    add_cosignatures(tiles, lines, on=checkpoint, log=LOG_KEY, witnesses=list(VKEYS.values()))
    return tiles


def test_a_log_is_verified_under_a_policy() -> None:
    enough = cosigned_log(WITNESSES[name] for name in ("X1", "X3", "Y2"))
    verdict = verify_log(enough, LOG_KEY, policy=policy())
    assert verdict.holds
    assert verdict.finding is not None
    assert verdict.finding.met
    few = cosigned_log(WITNESSES[name] for name in ("X1", "Y1", "Y2", "Y3"))
    verdict = verify_log(few, LOG_KEY, policy=policy())
    assert verdict.fault is not None
    assert "X-witnesses: 1 of 3, 2 needed" in verdict.fault.problem
    assert (verdict.fault.file, verdict.entries_checked) == ("checkpoint", 5)

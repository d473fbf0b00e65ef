"""The script: a law firm is deceived, and CAD 2,300,000.00 run through four countries in 38 minutes.

Modelled on the public facts of a business e-mail compromise of June 2025 that was intercepted in Hong Kong;
the way beyond Hong Kong is invented. Canada → Hong Kong → two banks in Thailand → back to Hong Kong, and
Thailand → Cambodia → payment agent → crypto exchange → a wallet outside.
"""

from comity.exercise.cast import Cast
from comity.exercise.stage import Stage

STRAIGHT_TO_HONG_KONG = 1_650_000_00
THROUGH_CANADA = 650_000_00
_THOUSAND = 1_000_00


def play(stage: Stage, cast: Cast, *, machines: dict[str, int]) -> None:
    """Play the whole scheme. `machines`: a cash machine's account for each country."""
    _canada(stage, cast, machines["CA"])
    _hong_kong_companies(stage, cast)
    _hong_kong_persons(stage, cast, machines["HK"])
    _hong_kong_leaves(stage, cast)
    _thailand(stage, cast, machines["TH"])
    _cambodia(stage, cast, machines["KH"])
    _hong_kong_again(stage, cast, machines["HK"])


def _canada(stage: Stage, cast: Cast, machine: int) -> None:
    """Two deceived payments: one straight to Hong Kong, one to a shell at home that forwards at once."""
    trust, shell, first = cast["trust"][0], cast["ca_shell"][0], cast["hk_first"]
    stage.steal(trust, first[0], STRAIGHT_TO_HONG_KONG, "CAD", into="HKD")
    stage.steal(trust, shell, THROUGH_CANADA, "CAD")
    stage.pay(shell, first[1], "CAD", amount=415_000_00, into="HKD", how="cross-border", why="goods")
    for mule in cast["ca_person"]:
        amount = int(stage.rng.integers(90, 99)) * 100_00
        stage.pay(shell, mule, "CAD", amount=amount, why="loan")
        stage.pay(mule, machine, "CAD", per_mille=300, step=100_00, how="cash", why="cash withdrawal")
    stage.pay(shell, first[2], "CAD", amount=201_500_00, into="HKD", how="cross-border", why="goods")


def _hong_kong_companies(stage: Stage, cast: Cast) -> None:
    """The first layer spreads the money; part becomes US dollars at the currency exchange."""
    first, second, third = cast["hk_first"]
    clients, dollars = cast["hk_clients"][0], cast["hk_dollar"][0]
    stage.pay(first, second, "HKD", per_mille=250, step=_THOUSAND, how="wire", why="goods")
    stage.pay(first, third, "HKD", per_mille=250, step=_THOUSAND, how="wire", why="goods")
    stage.pay(first, clients, "HKD", per_mille=400, step=_THOUSAND, why="currency exchange")
    stage.pay(clients, clients, "HKD", per_mille=985, step=_THOUSAND, into="USD", how="conversion",
              why="currency exchange")  # fmt: skip
    stage.pay(clients, dollars, "USD", per_mille=990, step=100_00, how="wire", why="currency exchange")


def _hong_kong_persons(stage: Stage, cast: Cast, machine: int) -> None:
    """Fan-out to twelve persons; some draw cash, one buys in a shop, one is paid an honest wage."""
    companies, persons = cast["hk_first"], cast["hk_person"]
    for index, person in enumerate(persons):
        amount = int(stage.rng.integers(60, 150)) * _THOUSAND
        stage.pay(companies[index % 3], person, "HKD", amount=amount, why="loan")
    stage.earn(cast.employer, persons[2], 18_400_00, "HKD", why="salary")
    for person in persons[4:8]:
        stage.pay(companies[1], person, "HKD", per_mille=30, step=_THOUSAND, why="consulting fee")
    stage.pay(persons[5], cast.merchant, "HKD", amount=6_280_00, how="qr", why="purchase")
    for person in persons[1::2]:
        amount = int(stage.rng.integers(10, 21)) * _THOUSAND
        stage.pay(person, machine, "HKD", amount=amount, how="cash", why="cash withdrawal")


def _hong_kong_leaves(stage: Stage, cast: Cast) -> None:
    """Three companies and six persons send to two companies at two banks in Thailand; the rest stays."""
    one_bank, other_bank = cast["th_first"]
    _, second, third = cast["hk_first"]
    stage.pay(
        second, one_bank, "HKD", per_mille=700, step=_THOUSAND, into="THB", how="cross-border", why="goods"
    )
    stage.pay(
        third, other_bank, "HKD", per_mille=750, step=_THOUSAND, into="THB", how="cross-border", why="goods"
    )
    stage.pay(cast["hk_dollar"][0], one_bank, "USD", per_mille=620, step=_THOUSAND, into="THB",
              how="cross-border", why="goods")  # fmt: skip
    for index, person in enumerate(cast["hk_person"][2:8]):
        # The first of them also had a wage: nearly all of it goes, so that clean money crosses behind stolen.
        stage.pay(person, (other_bank, one_bank)[index % 2], "HKD", per_mille=700 if index else 950,
                  step=_THOUSAND, into="THB", how="cross-border", why="family support")  # fmt: skip


def _thailand(stage: Stage, cast: Cast, machine: int) -> None:
    """Sums below half a million baht over fourteen persons, who pass most of it to two collectors."""
    to_hong_kong, to_cambodia = cast["th_to_hk"][0], cast["th_to_kh"][0]
    one_bank, other_bank = cast["th_first"]
    for index, person in enumerate(cast["th_person"]):
        company = (one_bank, other_bank)[index % 2]
        stage.pay(company, person, "THB", amount=int(stage.rng.integers(300, 495)) * _THOUSAND, why="loan")
    stage.pay(one_bank, to_hong_kong, "THB", per_mille=480, step=_THOUSAND, how="wire", why="goods")
    stage.pay(other_bank, to_cambodia, "THB", per_mille=720, step=_THOUSAND, how="wire", why="goods")
    stage.pay(one_bank, to_cambodia, "THB", per_mille=350, step=_THOUSAND, how="wire", why="goods")
    for index, person in enumerate(cast["th_person"]):
        if index % 7 == 6:
            continue  # these keep all they received
        collector = (to_hong_kong, to_cambodia)[index // 2 % 2]
        stage.pay(person, collector, "THB", per_mille=800, step=_THOUSAND, why="thank you")
        if index % 2:
            amount = int(stage.rng.integers(20, 31)) * _THOUSAND
            stage.pay(person, machine, "THB", amount=amount, how="cash", why="cash withdrawal")
    for company, per_mille in zip(cast["hk_return"], (550, 600), strict=True):
        stage.pay(to_hong_kong, company, "THB", per_mille=per_mille, step=_THOUSAND, into="HKD",
                  how="cross-border", why="goods")  # fmt: skip


def _cambodia(stage: Stage, cast: Cast, machine: int) -> None:
    """Baht become dollars, dollars go through an agent's float to the exchange, and leave as coins."""
    collector, company, agent = cast["th_to_kh"][0], cast["kh_company"][0], cast["kh_agent"][0]
    for account, per_mille in zip((company, *cast["kh_person"]), (620, 350, 500), strict=True):
        stage.pay(collector, account, "THB", per_mille=per_mille, step=_THOUSAND, into="USD",
                  how="cross-border", why="goods")  # fmt: skip
    for person in cast["kh_person"]:
        stage.pay(person, machine, "USD", amount=int(stage.rng.integers(6, 15)) * 100_00, how="cash",
                  why="cash withdrawal")  # fmt: skip
    for account in (company, *cast["kh_person"]):
        stage.pay(account, agent, "USD", per_mille=780, step=100_00, why="agent pay-in")
    for trader, per_mille in zip(cast["kh_trader"], (560, 960), strict=True):
        stage.pay(agent, trader, "USD", per_mille=per_mille, step=100_00, why="agent pay-out")
        stage.pay(
            trader, trader, "USD", per_mille=970, step=10_00, into="USDT", how="conversion", why="trade"
        )
        stage.pay(trader, cast["wallet"][0], "USDT", per_mille=850, step=10 * 10**6, how="on-chain",
                  why="withdrawal to wallet")  # fmt: skip


def _hong_kong_again(stage: Stage, cast: Cast, machine: int) -> None:
    """What came back spreads over new persons, and over one who had stolen money already."""
    first, second = cast["hk_return"]
    stage.pay(first, second, "HKD", per_mille=200, step=_THOUSAND, how="wire", why="loan")
    for index, person in enumerate((*cast["hk_last"], cast["hk_person"][2])):
        amount = int(stage.rng.integers(45, 95)) * _THOUSAND
        stage.pay((first, second)[index % 2], person, "HKD", amount=amount, why="loan")
    for person in (cast["hk_last"][0], cast["hk_person"][2]):
        amount = int(stage.rng.integers(12, 20)) * _THOUSAND
        stage.pay(person, machine, "HKD", amount=amount, how="cash", why="cash withdrawal")

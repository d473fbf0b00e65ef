"""Who plays in the scheme: victim, mules in layers, gateways, wallet. Every name is invented."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from comity.exercise.accounts import AccountRegister
from comity.exercise.nation import Nation
from comity.exercise.places import (
    CAMBODIA,
    CANADA,
    CRYPTO_EXCHANGE,
    HONG_KONG,
    PAYMENT_AGENT,
    SELF_HOSTED,
    THAILAND,
    Institution,
)


class Life(Enum):
    """What an account was used for before the scheme."""

    TRUST = auto()
    PERSON = auto()
    COMPANY = auto()
    EXCHANGE_CLIENTS = auto()
    AGENT = auto()
    TRADER = auto()
    UNUSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of account in the scheme, at each of `held_at` one."""

    name: str
    title: str
    life: Life
    held_at: tuple[Institution, ...]
    mule: bool = True
    """Controlled by the thieves (their own wallet, no institution's account, does not count)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    account: int
    part: Part
    country: str


def _at(banks: tuple[Institution, ...], *chosen: int) -> tuple[Institution, ...]:
    return tuple(banks[index] for index in chosen)


def _round(banks: tuple[Institution, ...], count: int) -> tuple[Institution, ...]:
    return tuple(banks[index % len(banks)] for index in range(count))


_CA, _HK, _TH, _KH = CANADA.banks, HONG_KONG.banks, THAILAND.banks, CAMBODIA.banks


def _mules(name: str, title: str, life: Life, held_at: tuple[Institution, ...]) -> Part:
    return Part(name=name, title=title, life=life, held_at=held_at)


def _other(name: str, title: str, life: Life, held_at: Institution) -> Part:
    return Part(name=name, title=title, life=life, held_at=(held_at,), mule=False)


PARTS = (
    _other("trust", "Alder & Quill LLP, trust account (victim)", Life.TRUST, _CA[0]),
    _mules("ca_shell", "Fernhollow Logistics Inc.", Life.COMPANY, _at(_CA, 1)),
    _mules("ca_person", "Canadian personal mule", Life.PERSON, _at(_CA, 2, 3)),
    _mules("hk_first", "Hong Kong company, first layer", Life.COMPANY, _at(_HK, 0, 1, 2)),
    _other(
        "hk_clients", "Copper Carp Money Exchange, client money", Life.EXCHANGE_CLIENTS, HONG_KONG.exchange
    ),
    _mules("hk_dollar", "Opal Ferry Holdings Ltd, dollar account", Life.COMPANY, _at(_HK, 3)),
    _mules("hk_person", "Hong Kong personal mule, second layer", Life.PERSON, _round(_HK, 12)),
    _mules("hk_return", "Hong Kong company, money back from Thailand", Life.COMPANY, _at(_HK, 3, 4)),
    _mules("hk_last", "Hong Kong personal mule, money back from Thailand", Life.PERSON, _at(_HK, 0, 1, 2, 4)),
    _mules("th_first", "Thai company, first layer", Life.COMPANY, _at(_TH, 0, 1)),
    _mules("th_person", "Thai personal mule", Life.PERSON, _round(_TH, 14)),
    _mules("th_to_hk", "Thai collecting company towards Hong Kong", Life.COMPANY, _at(_TH, 2)),
    _mules("th_to_kh", "Thai collecting company towards Cambodia", Life.COMPANY, _at(_TH, 3)),
    _mules("kh_company", "Cambodian company", Life.COMPANY, _at(_KH, 2)),
    _mules("kh_person", "Cambodian personal mule", Life.PERSON, _at(_KH, 0, 1)),
    _other("kh_agent", "Sugar Palm Pay, float of an agent", Life.AGENT, PAYMENT_AGENT),
    _mules(
        "kh_trader",
        "customer of Paper Kite Digital Exchange, straw person",
        Life.TRADER,
        (CRYPTO_EXCHANGE, CRYPTO_EXCHANGE),
    ),
    _other("wallet", "the thieves' wallet", Life.UNUSED, SELF_HOSTED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Accounts by the name of their part, and the bystanders that the script needs."""

    players: Mapping[str, tuple[Player, ...]]
    merchant: int
    """A Hong Kong shop where a mule spends stolen money."""
    employer: int
    """A Hong Kong firm that pays a mule's wage in the middle of the scheme."""

    def __getitem__(self, name: str) -> tuple[int, ...]:
        return tuple(player.account for player in self.players[name])

    def everybody(self) -> tuple[Player, ...]:
        return tuple(player for players in self.players.values() for player in players)


def assemble(register: AccountRegister, nations: Mapping[str, Nation], rng: np.random.Generator) -> Cast:
    """Open the accounts of the scheme and choose its bystanders."""
    players = {
        part.name: tuple(
            Player(account=int(register.open(bank, 1)[0]), part=part, country=bank.country)
            for bank in part.held_at
        )
        for part in PARTS
    }
    hong_kong = nations["HK"]
    return Cast(
        players=players,
        merchant=int(rng.choice(hong_kong.merchants)),
        employer=int(rng.choice(hong_kong.firms)),
    )

"""Who takes part. Fictional units of real places; the case behind it is public (Vancouver, June 2025)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One node of the demo. `policies` are optional standing policies it adds to its own law."""

    id: str
    name: str
    jurisdiction: str
    channel: str
    oversight: bool = False
    policies: tuple[str, ...] = ()


ORIGIN = "ca-fraud-centre"
KILLED = "th-amlo"

CAST = (
    Actor(id=ORIGIN, name="Canada: fraud centre", jurisdiction="CA", channel="police"),
    Actor(id="hk-anti-deception", name="Hong Kong: anti-deception unit", jurisdiction="HK", channel="police"),
    Actor(id=KILLED, name="Thailand: anti-money-laundering office", jurisdiction="TH", channel="fiu"),
    Actor(
        id="kh-fiu", name="Cambodia: financial intelligence unit", jurisdiction="KH", channel="fiu",
        policies=("fiu_channel_only.cedar",),
    ),
    Actor(
        id="oversight", name="Independent oversight body", jurisdiction="SG", channel="judicial",
        oversight=True,
    ),
)  # fmt: skip

"""The model card: what a learned ranker was taught, how it was judged, and what it must not be used for. Pure.

After Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019).
"""

from collections.abc import Mapping
from typing import Any

_SHOWN = 25

_USE = """\
## What it is for

It puts alerts of `comity detect` in an order, so that people look at the likeliest first. It decides nothing.

## What it must not be used for

- To hold money, close an account, refuse a service, name a suspect or begin a measure: a person looks at the alert's
  transfers and rule, and the law room says what may follow.
- To score persons. It scores transfers; an account's transfers add up to no judgement of its holder.
- As evidence. What an alert shows in court is its transfers; not this number.
- On books unlike the one it learned from (other payment systems, another pace, other kinds of accounts) without being
  judged there first.

## What it does not look at

Names and ids of accounts, countries, nationality, institutions, currencies, references, the time of day. A country or a
bank would stand for who people are. Leaving them out does not prove fairness: behaviour can differ between groups too.
Compare the alerts of groups in your own book before you rely on the order.

## Known limits

- It learned what was labelled. Laundering that nobody labelled counts as clean here, and is found less often.
- Transfers near the end of a book have no future yet: patterns that are just beginning score low. Detect again.
- Probabilities are calibrated on one stretch of time. Where laundering becomes rarer or commoner they are off.
- Who knows the features can stay below them.
"""


def model_card(description: Mapping[str, Any]) -> str:
    """Markdown; `{digest}` is left for whoever writes the files."""
    data, judged, checked = description["data"], description["judged"], description["checked"]
    begin, check, judge, end = description["times"]
    rows = [
        "# Model card: a ranker of alerts", "",
        f"Model `{{digest}}` (SHA-256 of `model.json`), form `{description['format']}`, seed {description['seed']}.",
        "LightGBM over features of transfers, in two steps, calibrated by a sigmoid.", "",
        _USE,
        "## What it learned from", "",
        f"{data['transfers']:,} transfers, {data['laundering']:,} of them labelled as laundering; SHA-256 of the "
        f"labelled transfers `{data['sha256']}`.", "",
        "| part | from | to |", "| --- | --- | --- |",
        f"| teaching (60 %) | {begin} | {check} |", f"| checking (20 %) | {check} | {judge} |",
        f"| judging (20 %) | {judge} | {end} |", "",
        "## How good it is", "",
        *_metrics(checked, judged), "",
        "Reliability on the judging part: what scores promised, and what was so.", "",
        "| score | transfers | promised | found |", "| --- | --- | --- | --- |",
        *(
            f"| {row['from']:g} to {row['to']:g} | {row['transfers']:,} | {row['promised']:.4f} | {row['found']:.4f} |"
            for row in judged["reliability"]
        ),
        "", "## What it looks at most", "", "| feature | share of the gain |", "| --- | --- |",
        *(f"| `{name}` | {share:.3f} |" for name, share in list(description["importance"].items())[:_SHOWN]), "",
    ]  # fmt: skip
    return "\n".join(rows)


def _metrics(checked: Mapping[str, Any], judged: Mapping[str, Any]) -> list[str]:
    names = {
        "transfers": "transfers", "laundering": "laundering", "f1": "F1 of the laundering class",
        "precision": "precision", "recall": "recall", "pr_auc": "PR-AUC", "brier": "Brier score",
        "threshold": "threshold (chosen on the checking part)",
    }  # fmt: skip
    lines = ["| measure | checking part | judging part |", "| --- | --- | --- |"]
    return lines + [f"| {words} | {checked[name]:,} | {judged[name]:,} |" for name, words in names.items()]

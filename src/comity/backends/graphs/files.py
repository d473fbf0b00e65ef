"""Write a graph: GraphML (graphml.graphdrawing.org), GEXF 1.3 (gexf.net), CSV tables, FollowTheMoney entities.

FollowTheMoney: `BankAccount` and `Payment`, JSON lines, with `payerAccount` and `beneficiaryAccount`; nothing is said
of who owns an account, as no trace knows it. Characters that XML cannot hold are written as U+FFFD.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from lxml import etree

from comity.backends.files import write_durably
from comity.backends.graphs.graph import Account, Amount, Graph, Movement
from comity.errors import InputError

_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_GEXF = "http://gexf.net/1.3"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IBAN = re.compile(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_ACCOUNT = ("id", "kind", "institution", "country", "resting", "held")
_MOVEMENT = (
    "id", "source", "target", "booked_at", "currency", "amount_minor", "stolen_minor", "stolen", "bookings",
)  # fmt: skip
_WHOLE = frozenset({"amount_minor", "stolen_minor", "bookings"})


def graph_bytes(graph: Graph, name: str) -> dict[str, bytes]:
    """The graph in a format of `FORMATS`: ending of each file → its content."""
    require_format(name)
    return FORMATS[name](graph)


def require_format(name: str) -> None:
    """Raise `InputError` if there is no such format."""
    if name not in FORMATS:
        raise InputError.because(
            expected=f"a format: {', '.join(FORMATS)}", got=repr(name[:40]), where="--to"
        )


def written(graph: Graph, name: str, file: Path) -> list[Path]:
    """Write the graph to `file`; CSV to two files beside it, `.accounts.csv` and `.movements.csv`. Return which."""
    made = []
    for ending, content in graph_bytes(graph, name).items():
        place = file.with_suffix(ending) if ending else file
        write_durably(place, content)
        made.append(place)
    return made


def _account(one: Account, graph: Graph) -> dict[str, str]:
    return {
        "id": one.id, "kind": one.kind, "institution": one.institution, "country": one.country,
        "resting": _amounts(one.resting, graph), "held": _amounts(one.held, graph),
    }  # fmt: skip


def _movement(one: Movement, graph: Graph) -> dict[str, str]:
    return {
        "id": one.id, "source": one.source, "target": one.target,
        "booked_at": one.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if one.at else "",
        "currency": one.stolen.currency, "amount_minor": str(one.whole.minor) if one.whole else "",
        "stolen_minor": str(one.stolen.minor), "stolen": one.stolen.decimal(graph.assets),
        "bookings": str(one.bookings),
    }  # fmt: skip


def _amounts(amounts: Sequence[Amount], graph: Graph) -> str:
    """`EUR 12.50; THB 3.00`; in minor units where the digits are not known."""
    return "; ".join(
        f"{one.currency} {one.decimal(graph.assets) or f'{one.minor} minor units'}" for one in amounts
    )


def _xml(text: str) -> str:
    return _NOT_XML.sub("�", text)


def _document(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _graphml(graph: Graph) -> dict[str, bytes]:
    root = etree.Element(f"{{{_GRAPHML}}}graphml", nsmap={None: _GRAPHML})  # type: ignore[dict-item] # the default namespace
    for kind, names in (("node", _ACCOUNT[1:]), ("edge", _MOVEMENT[3:])):
        for name in names:
            attributes = {"id": f"{kind}-{name}", "for": kind, "attr.name": name, "attr.type": _type(name)}
            etree.SubElement(root, f"{{{_GRAPHML}}}key", attributes)
    inside = etree.SubElement(root, f"{{{_GRAPHML}}}graph", {"edgedefault": "directed"})
    for account in graph.accounts:
        node = etree.SubElement(inside, f"{{{_GRAPHML}}}node", {"id": _xml(account.id)})
        _data(node, "node", _account(account, graph))
    for movement in graph.movements:
        said = _movement(movement, graph)
        ends = {name: _xml(said[name]) for name in ("id", "source", "target")}
        _data(etree.SubElement(inside, f"{{{_GRAPHML}}}edge", ends), "edge", said)
    return {"": _document(root)}


def _data(element: etree._Element, kind: str, said: Mapping[str, str]) -> None:
    for name, value in said.items():
        if value and name not in ("id", "source", "target"):
            etree.SubElement(element, f"{{{_GRAPHML}}}data", {"key": f"{kind}-{name}"}).text = _xml(value)


def _type(name: str) -> str:
    return "long" if name in _WHOLE else "string"


def _gexf(graph: Graph) -> dict[str, bytes]:
    root = etree.Element(f"{{{_GEXF}}}gexf", {"version": "1.3"}, nsmap={None: _GEXF})  # type: ignore[dict-item] # as above
    inside = etree.SubElement(root, f"{{{_GEXF}}}graph", {"mode": "static", "defaultedgetype": "directed"})
    for kind, names in (("node", _ACCOUNT[1:]), ("edge", _MOVEMENT[3:])):
        columns = etree.SubElement(inside, f"{{{_GEXF}}}attributes", {"class": kind, "mode": "static"})
        for name in names:
            etree.SubElement(
                columns, f"{{{_GEXF}}}attribute", {"id": name, "title": name, "type": _type(name)}
            )
    nodes = etree.SubElement(inside, f"{{{_GEXF}}}nodes")
    for account in graph.accounts:
        node = etree.SubElement(
            nodes, f"{{{_GEXF}}}node", {"id": _xml(account.id), "label": _xml(account.id)}
        )
        _values(node, _account(account, graph))
    edges = etree.SubElement(inside, f"{{{_GEXF}}}edges")
    for movement in graph.movements:
        said = _movement(movement, graph)
        ends = {name: _xml(said[name]) for name in ("id", "source", "target")}
        _values(etree.SubElement(edges, f"{{{_GEXF}}}edge", {**ends, "kind": ends["id"]}), said)
    return {"": _document(root)}


def _values(element: etree._Element, said: Mapping[str, str]) -> None:
    values = etree.SubElement(element, f"{{{_GEXF}}}attvalues")
    for name, value in said.items():
        if value and name not in ("id", "source", "target"):
            etree.SubElement(values, f"{{{_GEXF}}}attvalue", {"for": name, "value": _xml(value)})


def _csv(graph: Graph) -> dict[str, bytes]:
    return {
        ".accounts.csv": _table(_ACCOUNT, (_account(one, graph) for one in graph.accounts)),
        ".movements.csv": _table(_MOVEMENT, (_movement(one, graph) for one in graph.movements)),
    }


def _table(names: Sequence[str], rows: Iterator[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, names)
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def _ftm(graph: Graph) -> dict[str, bytes]:
    entities = [
        *(_bank_account(one, graph) for one in graph.accounts),
        *(_payment(one, graph) for one in graph.movements),
    ]
    return {
        "": b"".join(json.dumps(one, ensure_ascii=False, sort_keys=True).encode() + b"\n" for one in entities)
    }


def _bank_account(one: Account, graph: Graph) -> dict[str, object]:
    bank = "bic" if _BIC.fullmatch(one.institution) else "bankName"
    said = [f"Stolen money resting here: {_amounts(one.resting, graph)}"] if one.resting else []
    said += [f"Under a hold: {_amounts(one.held, graph)}"] if one.held else []
    properties = {
        "name": [one.id], "accountNumber": [one.id], "iban": [one.id] if _is_iban(one.id) else [],
        bank: [one.institution], "country": [one.country.lower()], "accountType": [one.kind], "summary": said,
    }  # fmt: skip
    return _entity("BankAccount", _key("account", one.id), properties)


def _payment(one: Movement, graph: Graph) -> dict[str, object]:
    """The amount is the booking's where that is known; the stolen part is in the summary, and alone where it is not."""
    amount = one.whole or one.stolen
    properties = {
        "payerAccount": [_key("account", one.source)], "beneficiaryAccount": [_key("account", one.target)],
        "amount": [amount.decimal(graph.assets)], "currency": [amount.currency], "transactionNumber": [one.id],
        "date": [one.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")] if one.at else [],
        "summary": [f"Stolen: {_amounts((one.stolen,), graph)}"],
    }  # fmt: skip
    return _entity("Payment", _key("payment", one.id), properties)


def _entity(schema: str, key: str, properties: Mapping[str, Sequence[str]]) -> dict[str, object]:
    kept = {name: [value for value in values if value] for name, values in properties.items()}
    return {
        "id": key,
        "schema": schema,
        "properties": {name: values for name, values in kept.items() if values},
    }


def _key(kind: str, name: str) -> str:
    """The same account has the same id in every file, so that files can be put together."""
    return f"comity-{kind}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _is_iban(text: str) -> bool:
    """ISO 13616: the digits, with letters as 10 to 35 and the first four last, leave 1 divided by 97."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


FORMATS: Mapping[str, Callable[[Graph], dict[str, bytes]]] = {
    "graphml": _graphml, "gexf": _gexf, "csv": _csv, "ftm": _ftm,
}  # fmt: skip

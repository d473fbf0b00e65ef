"""Law questions: all of what `comity law …` answers, by the same functions. Not legal advice; null is unknown."""

from typing import Annotated, Any

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from comity.entrypoints.api.asked import Comparison, SafeguardCheck
from comity.entrypoints.api.routes import asking, reading
from comity.errors import InputError
from comity.law import safeguards
from comity.law.authorities import as_json as authorities_json
from comity.law.authorities import competent
from comity.law.bases import NOT_ADVICE, bases
from comity.law.bases import as_json as bases_json
from comity.law.dual_criminality import compare, condition
from comity.law.offence_json import catalogue_as_json, comparison_as_json, offence_as_json
from comity.law.offences import offence, offences
from comity.law.parties import known_jurisdictions
from comity.law.provisions import all_provisions, threshold

Json = dict[str, Any]
_Query = Annotated[str, QueryParameter(max_length=200)]


def law_routes() -> list[HTTPRouteHandler]:
    """They are about no case: any good token may ask."""
    return [law_bases, law_authorities, law_offences, law_offence, law_compare, law_safeguards, law_check]


@reading("/law/bases", query=("from", "to", "for", "offence"))
def law_bases(
    from_: Annotated[str, QueryParameter(name="from", max_length=200, description="Who asks: ISO 3166-1, e.g. CA.")],
    to: Annotated[str, QueryParameter(max_length=200, description="Who is asked.")],
    for_: Annotated[
        str,
        QueryParameter(
            name="for", max_length=200,
            description="freeze, mla, extradition, preservation, asset_recovery, joint_team, …",
        ),
    ],
    offence: Annotated[str | None, QueryParameter(max_length=200)] = None,
) -> Json:  # fmt: skip
    """The legal bases between two jurisdictions, usable ones first, with reasons and what is missing."""
    return bases_json(bases(from_, to, for_, offence=offence))


@reading("/law/authorities/{party:str}", query=("for",))
def law_authorities(
    party: FromPath[str],
    for_: Annotated[
        str | None, QueryParameter(name="for", max_length=200, description="A competence: mla, fiu, …")
    ] = None,
) -> Json:
    """Who in a jurisdiction is competent for what; two claims on the same are a conflict to settle."""
    return {**authorities_json(competent(party, for_)), "not_advice": NOT_ADVICE}


@reading("/law/offences")
def law_offences() -> Json:
    """The catalogue of offences."""
    return {"offences": [catalogue_as_json(one) for one in offences()], "not_advice": NOT_ADVICE}


@reading("/law/offences/{offence_id:str}")
def law_offence(offence_id: FromPath[str]) -> Json:
    """An offence: its elements, and each jurisdiction's provision and maximum penalty."""
    one = offence(offence_id)
    rows = [row for row in all_provisions() if row.offence == one.statutes]
    silent = [code for code in known_jurisdictions() if code not in {row.party for row in rows}]
    return {**offence_as_json(one, rows, silent), "not_advice": NOT_ADVICE}


@asking("/law/offences/{offence_id:str}/compare", body=Comparison)
def law_compare(offence_id: FromPath[str], data: JSONBody[Comparison]) -> Json:
    """Dual criminality: conduct by its elements, in two jurisdictions; elements are compared, never labels."""
    both = sorted(set(data.has) & set(data.lacks))
    if both:
        raise InputError.because(expected="each element once", got=f"{', '.join(both)} in has and in lacks")
    conduct = {**dict.fromkeys(data.has, True), **dict.fromkeys(data.lacks, False)}
    limit = threshold(data.threshold) if data.threshold else None
    found = compare(data.from_, data.to, offence(offence_id).id, conduct, threshold=limit)
    needed = condition(data.for_) if data.for_ else None
    return {**comparison_as_json(found, needed), "not_advice": NOT_ADVICE}


@reading("/law/safeguards")
def law_safeguards() -> Json:
    """The safeguards, each with the facts that it asks for."""
    every = [safeguards.table_as_json(one) for one in safeguards.tables().values()]
    return {"safeguards": every, "not_advice": NOT_ADVICE}


@asking("/law/check", body=SafeguardCheck)
def law_check(data: JSONBody[SafeguardCheck]) -> Json:
    """What the safeguards make of the facts. What is not said is unknown, and unknown is never taken as clear."""
    if (data.safeguard is None) == (data.for_ is None):
        raise InputError.because(
            expected="safeguard or for", got="neither" if data.for_ is None else "both of them"
        )
    name, step = data.safeguard, data.for_
    chosen = (safeguards.table(name),) if name is not None else safeguards.tables_for(step or "")
    unasked = sorted(data.facts.keys() - {one.name for one in chosen})
    if unasked:
        raise InputError.because(
            expected=f"facts of {', '.join(one.name for one in chosen)}",
            got=", ".join(unasked),
            where="facts",
        )
    found = [safeguards.decide(one, data.facts.get(one.name, {})) for one in chosen]
    return {
        "outcome": safeguards.worst(found).value, "safeguards": [safeguards.as_json(one) for one in found],
        "not_advice": NOT_ADVICE,
    }  # fmt: skip

"""Headings, names of documents, procedures and fields in the languages that receiving states ask for. One readable file
a language: `data/wording/LANGUAGE.yaml`; `en.yaml` holds the English ones.

Only these words are translated, never what people wrote. No file is `verified` until a translator has compared it with
the English, and every letter says so. What a file does not hold is shown in English, and the letter says that too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from comity.errors import InputError
from comity.law.authorities import competent
from comity.law.files import exact_keys, folder, texts
from comity.law.parties import known_jurisdictions
from comity.law.strict_yaml import parse_yaml

ENGLISH = "en"
_SHAPE: Mapping[str, type] = {
    "language": str, "name": str, "own_name": str, "direction": str, "verified": bool, "by": str,
    "headings": dict, "documents": dict, "procedures": dict, "fields": dict,
}  # fmt: skip
_OFFICIAL = {
    "CN": "zh-Hans", "HK": "zh-Hant", "MO": "zh-Hant", "MM": "my", "TH": "th", "LA": "lo", "KH": "km", "VN": "vi",
    "ID": "id", "AE": "ar", "ES": "es", "JP": "ja", "KR": "ko", "MY": "ms", "BN": "ms",
}  # fmt: skip
"""The official language that there are words for; English elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One language. `headings`, `documents`, `procedures` and `fields` map the names used in the procedures' files to
    words. `by` says whose words they are; `verified` is True once a translator has checked them.
    """

    language: str
    name: str
    own_name: str
    direction: str
    verified: bool
    by: str
    headings: Mapping[str, str]
    documents: Mapping[str, str]
    procedures: Mapping[str, str]
    fields: Mapping[str, str]

    @property
    def texts(self) -> Iterable[str]:
        """Everything that may be printed: fonts must have all of it."""
        parts = (self.headings, self.documents, self.procedures, self.fields)
        return (self.own_name, *(text for part in parts for text in part.values()))


@cache
def languages() -> tuple[str, ...]:
    """The languages there are words for, in order."""
    return tuple(sorted(one.name.removesuffix(".yaml") for one in folder("wording").iterdir()))


@cache
def wording(language: str) -> Wording:
    """The words of one language, or `InputError` that lists the languages."""
    if language not in languages():
        raise InputError.because(
            expected=f"a language that there are words for ({', '.join(languages())})", got=repr(language)
        )
    text = folder("wording", f"{language}.yaml").read_text(encoding="utf-8")
    return parse_wording(text, where=f"wording/{language}.yaml")


def parse_wording(text: str, *, where: str) -> Wording:
    """Read one file or raise `InputError` that says what is wrong with it."""
    row = exact_keys(parse_yaml(text, where=where), _SHAPE, where=where)
    if row["direction"] not in ("ltr", "rtl"):
        raise InputError.because(expected="direction ltr or rtl", got=repr(row["direction"]), where=where)
    if where.endswith(".yaml") and f"/{row['language']}.yaml" not in where:
        raise InputError.because(
            expected="the language that the file is named for", got=row["language"], where=where
        )
    for part in ("headings", "documents", "procedures", "fields"):
        texts(list(row[part].values()), where=f"{where} {part}")
    return Wording(**row)


def language_for(party: str, competence: str) -> tuple[str, str]:
    """Return (language, why) for the words beside the English in a letter to `party`'s authority for `competence`.

    The official language, where the register says that it is accepted or says nothing (a guess, and `why` says so).
    English alone where only English is named, else the first language named that there are words for.
    """
    if party not in known_jurisdictions():
        return ENGLISH, f"the data does not know {party or 'where it sits'}"
    accepted = [code for claim in competent(party, competence).authorities for code in claim.languages]
    official = _OFFICIAL.get(party, ENGLISH)
    if not accepted:
        return (
            official,
            f"the register of authorities does not say what {party} accepts: its official language",
        )
    named = f"the register of authorities names {', '.join(dict.fromkeys(accepted))} for {party}"
    if official.partition("-")[0] in accepted:
        return official, named
    known = [code for code in accepted if code in languages()]
    return (ENGLISH if ENGLISH in accepted or not known else known[0]), named

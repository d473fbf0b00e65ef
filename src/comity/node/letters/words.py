"""The words of a letter: labels in English and in one other language, and what is said about the translation. Pure."""

from comity.law.procedures import Document, Procedure
from comity.law.wording import ENGLISH, Wording, wording
from comity.node.letters.letter import Label

_OUR_WORDS = (
    "Only the headings and the names of the fields are translated, by the project's own knowledge and not by a "
    "translator; the English text counts."
)


class Words:
    """Labels in English and in one other language; remembers what there were no words for."""

    def __init__(self, language: str) -> None:
        self._english = wording(ENGLISH)
        self._local: Wording | None = None if language == ENGLISH else wording(language)
        self.without: set[str] = set()

    def heading(self, name: str) -> Label:
        return Label(english=self._english.headings[name], local=self._find("headings", name))

    def field(self, name: str, article: str = "") -> Label:
        english = self._english.fields.get(name) or self.english(name).english
        return Label(english=english, local=self._find("fields", name), article=article)

    def english(self, name: str) -> Label:
        """An event or a rule: the machine's words, which nobody translated."""
        return Label(english=name.replace("_", " ").replace("-", " ").capitalize())

    def title(self, procedure: Procedure, document: Document) -> Label:
        parts = (self._find("documents", document.name), self._find("procedures", procedure.name))
        return Label(english=document.title, local=": ".join(parts) if all(parts) else "")

    def _find(self, part: str, name: str) -> str:
        if self._local is None:
            return ""
        found: str = getattr(self._local, part).get(name, "")
        if not found:
            self.without.add(name)
        return found


def notes_for(language: str, words: Words) -> tuple[str, ...]:
    """What stands below every letter: the message inside, and how far the translation is to be trusted."""
    notes = [
        "The machine-readable message is attached to this PDF; what it says is what the two nodes act on."
    ]
    if language == ENGLISH:
        return tuple(notes)
    local = wording(language)
    said = f"Bilingual: English and {local.name} ({local.own_name})."
    notes.append(f"{said} {'' if local.verified else _OUR_WORDS}".strip())
    if words.without:
        notes.append(
            f"No words in {local.name} for: {', '.join(sorted(words.without))}. They stand in English only."
        )
    return tuple(notes)

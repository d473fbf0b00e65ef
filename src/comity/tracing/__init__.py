"""The tracing room: follow stolen money through a book of transfers under a named legal rule.

`Book` holds transfers as columns; `follow` runs one trace in one book; `questions` says, from what each node
answered, whom to ask next, so that several nodes reach exactly what one would find in the pooled books; the
documents are how traces, crossings, holdings and gaps look in JSON. Meaning and choices: spec/trace.md. Pure:
no file, no database, no clock.
"""

from comity.tracing.book import BOOK_SCHEMA, Book
from comity.tracing.documents import (
    crossing_document,
    gap_document,
    holding_document,
    read_crossing,
    read_gap,
    read_holding,
    read_report,
    trace_document,
)
from comity.tracing.federation import Question, beyond, questions
from comity.tracing.follow import claims_of, follow
from comity.tracing.later import Later, extend
from comity.tracing.rules import Law, Rule, law_of
from comity.tracing.times import read_time, time_text

__all__ = [
    "BOOK_SCHEMA", "Book", "Later", "Law", "Question", "Rule",
    "beyond", "claims_of", "crossing_document", "extend", "follow", "gap_document", "holding_document", "law_of",
    "questions", "read_crossing", "read_gap", "read_holding", "read_report", "read_time", "time_text",
    "trace_document",
]  # fmt: skip

"""Tokens with which programs act for one person, in that person's role and never in more.

A token is `NAME.SECRET`, shown once; only a hash of the secret is kept. It is good until its end, until it is revoked,
and only while its person still has the role that they had when it was issued: who is given another role needs another
token. `only="read"` takes from it whatever changes anything. Whoever issues one is an administrator, and the policies
say so (`manage_tokens`); that somebody holds one lets them do nothing their role may not.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comity.backends.sql.tokens import Token
from comity.errors import Conflict, Forbidden, InputError
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.policy import require_in_office

READ = "read"
LONGEST = timedelta(days=366)
MOST_NOTE = 200
SEEN_EVERY = timedelta(minutes=1)
"""`last_used_at` is at most so much behind: a program that asks often writes nothing each time."""
_LONGEST_TEXT = 200
_NOBODY = "0" * 64


class BadToken(Forbidden):
    """No token that is good: unknown, run out, revoked, or of somebody whose role has changed."""

    code = "token.bad"
    remedy = "Ask an administrator for a token (comity token new); send it as `Authorization: Bearer …`."
    http_status = 401


class ReadOnlyToken(Forbidden):
    """The token was issued for reading only."""

    code = "token.read-only"
    remedy = "Use a token that was issued without `--only read`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who is calling: the person, as they are now, and the token that says so."""

    person: Person
    token: Token


def issue(
    node: Node, person: str, until: datetime, *, by: Person, only: str = "", note: str = ""
) -> tuple[Token, str]:
    """Issue a token for `person`; returns what is kept of it, and the token itself, which nobody can show again.

    `until` is a UTC time. Raises `Forbidden` (who may not), `InputError` (no such person; an end that has passed or is
    more than a year away).
    """
    require_in_office(node, Action.MANAGE_TOKENS, by)
    now, secret = node.clock(), secrets.token_urlsafe(32)
    _refuse_until(until, now)
    if only not in ("", READ):
        raise InputError.because(expected=f"{READ!r} or nothing", got=repr(only), where="only")
    if len(note) > MOST_NOTE or not (note.isprintable() or not note):
        raise InputError.because(
            expected=f"one line of at most {MOST_NOTE} characters", got=repr(note)[:60], where="note"
        )
    with node.records.transaction() as tx:
        found = tx.people.find(person)
        if found is None:
            raise InputError.because(
                expected="somebody of this node", got=repr(person), remedy="List them: comity person list DIR"
            )
        token = Token(
            id=node.new_id("token"), person=person, role=found[0].role, only=only, note=note,
            issued_by=by.id, issued_at=now, expires_at=until,
        )  # fmt: skip
        tx.tokens.add(token, _hash(secret))
        node.record(
            tx, "token.issued", actor=by.id, token=token.id, person=person, role=token.role.value, only=only,
            until=until.isoformat(), note=note,
        )  # fmt: skip
    return token, f"{token.id}.{secret}"


def revoke(node: Node, token_id: str, *, by: Person) -> Token:
    """From the commit on the token is good for nothing. `Conflict` if it was revoked before."""
    require_in_office(node, Action.MANAGE_TOKENS, by)
    with node.records.transaction() as tx:
        token = tx.tokens.get(token_id)
        if token.revoked_at is not None:
            raise Conflict.because(expected="a token that is not revoked", got=token_id)
        now = node.clock()
        tx.tokens.revoke(token_id, by.id, now)
        node.record(tx, "token.revoked", actor=by.id, token=token_id, person=token.person)
    return replace(token, revoked_by=by.id, revoked_at=now)


def listed(node: Node, *, by: Person) -> list[Token]:
    """Every token there ever was, oldest first; never the tokens themselves."""
    require_in_office(node, Action.MANAGE_TOKENS, by)
    with node.records.transaction() as tx:
        node.record(tx, "tokens.listed", actor=by.id)
        return tx.tokens.all()


def standing(token: Token, now: datetime) -> str:
    """good, revoked or run out."""
    if token.revoked_at is not None:
        return "revoked"
    return "good" if now < token.expires_at else "run out"


def bearer_of(node: Node, text: str) -> Bearer:
    """Who calls with this token, or `BadToken`. As much work for a token that does not exist."""
    if not text.isascii() or not text.isprintable():
        raise BadToken("expected a token of this node, got other characters than one has")
    token_id, _, secret = text[:_LONGEST_TEXT].partition(".")
    with node.records.reading() as tx:
        found = tx.tokens.find(token_id)
        known = tx.people.find(found[0].person) if found is not None else None
    right = hmac.compare_digest(found[1] if found is not None else _NOBODY, _hash(secret))
    if found is None or not right:
        raise BadToken("expected a token of this node, got another")
    token, now = found[0], node.clock()
    if standing(token, now) != "good":
        raise BadToken.because(expected="a token that is good", got=f"{token.id}, {standing(token, now)}")
    if known is None or known[0].role is not token.role:
        raise BadToken.because(
            expected=f"a token of somebody in the role {token.role}",
            got=f"{token.id}, of one whose role changed",
        )
    _seen(node, token, now)
    return Bearer(person=known[0], token=token)


def require_full(bearer: Bearer) -> None:
    """Raise `ReadOnlyToken` unless the token is for more than reading."""
    if bearer.token.only:
        raise ReadOnlyToken(
            f"expected a token that may change things, got {bearer.token.id}, for reading only"
        )


def _seen(node: Node, token: Token, now: datetime) -> None:
    """Note that it was used; the first use of each day (UTC) is an event."""
    last = token.last_used_at
    if last is not None and now - last < SEEN_EVERY:
        return
    with node.records.transaction() as tx:
        tx.tokens.used(token.id, now)
        if last is None or last.date() != now.date():
            node.record(tx, "token.used", actor=token.person, token=token.id)


def _refuse_until(until: datetime, now: datetime) -> None:
    if until.tzinfo is None or not now < until <= now + LONGEST:
        raise InputError.because(
            expected=f"an end in UTC, after now and within {LONGEST.days} days", got=until.isoformat(), where="until",
        )  # fmt: skip


def _hash(secret: str) -> str:
    """Of 256 random bits: nothing slower is needed to keep them from being guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()

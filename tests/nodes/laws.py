"""Policies that tests add to a node's own law."""


def forbids(action: str, *, refuse: str = "", when: str = "true") -> str:
    """Forbid `action`, with a refusal ground where the node is to refuse by itself."""
    ground = f'@refuse("{refuse}")\n' if refuse else ""
    return f"""
@id("test-{action.replace("_", "-")}")
@reason("Forbidden for this test")
{ground}forbid (principal, action == Action::"{action}", resource)
when {{ {when} }};
"""


NO_ANSWER = forbids("answer_automatically")
NO_SENDING = forbids("send_request_without_second_person")
NO_HOLD = forbids("place_hold")


def refuses(ground: str, when: str = "true") -> str:
    return forbids("answer_automatically", refuse=ground, when=when)

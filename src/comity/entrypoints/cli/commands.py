"""Every command of `comity`, by its words: in which module it is, and the line that lists it.

A table, so that `comity --help` and the commands that need little do not wait for what the others import. A test
compares it with the modules: the line is the first paragraph of the command's docstring.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`function` of `module` (in this package); the module's own name if it is not said."""

    name: str
    module: str
    about: str
    function: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    about: str
    commands: tuple[Command, ...]


# fmt: off
COMMANDS = (
    Command("demo", "demo", "Watch a stolen payment be followed and held across borders, on five real nodes."),
    Command("trace", "trace", "Follow reported money through transfers, under a legal rule, to where it rests."),
    Command(
        "detect", "detect",
        "Look for patterns of laundering in transfers; each alert says its rule and names its transfers.",
    ),
    Command(
        "detect train", "detect_train",
        "Learn from labelled transfers in which order people should look at alerts.",
    ),
    Command("graph", "graph", "Write a trace as a graph: accounts, and each transfer that carried the reported money."),
    Command(
        "report", "report",
        "Report stolen money: opens a case, which the running node then follows and has held.",
    ),
)
"""Those that stand in no group. A name of two words goes before the command that its first word names."""

GROUPS = (
    Group("case", "Cases of a node.", (
        Command("list", "case_list", "List the cases of a node, newest first."),
        Command(
            "show", "case_show",
            "Show a case: figures, where the money rests, holds, requests and the timeline.",
        ),
        Command(
            "graph", "case_graph",
            "Write the way of a case's money for other programs: Gephi, yEd, Cytoscape, spreadsheets, Aleph.",
        ),
        Command("keep", "case_keep", "Put a case under a legal hold: nothing of it is erased until that is lifted."),
        Command(
            "release", "case_release",
            "Lift every legal hold of a case. It is not erased by that, but may be then.",
        ),
        Command(
            "erase", "case_erase",
            "Erase a case for ever: its events, messages, traces, requests and holds, out of the database's files "
            "too.",
        ),
    )),
    Group("request", "Requests that cross a border, sent and received.", (
        Command(
            "list", "request_list",
            "List requests, sent (→) and received (←), in the order in which they were made.",
        ),
        Command(
            "show", "request_show",
            "Show a request: its basis with the reasons, what it asks, its deadlines and what became of it.",
        ),
        Command(
            "approve", "request_approve",
            "Approve a request that no standing policy sends by itself; it goes out at once.",
        ),
        Command(
            "answer", "request_answer",
            "Answer a request that waits for an officer: trace on in the own book, hold what rests, reply.",
        ),
        Command("refuse", "request_refuse", "Refuse a request on a declared ground."),
    )),
    Group("account", "Accounts of a node's book at which tracing ends.", (
        Command(
            "list", "account_list",
            "List the accounts at which tracing ends, who said so, why, and the request that would pierce each.",
        ),
        Command(
            "mark", "account_mark",
            "Mark an account of this book as one at which tracing ends: what arrives there is a choke point.",
        ),
        Command("unmark", "account_unmark", "Take the mark off an account: what arrives there is followed on."),
    )),
    Group("hold", "Holds on money: a hold ends by itself unless an order confirms it in time.", (
        Command("list", "hold_list", "List holds: those this node placed, and those its partners told it of."),
        Command(
            "place", "hold_place",
            "Hold what rests in the own book in a case, where no standing policy holds it by itself.",
        ),
        Command(
            "tell-holder", "hold_decide",
            "Record that the holder was told of the hold and of the way to challenge it.",
            function="tell_holder",
        ),
        Command(
            "recall", "hold_recall",
            "Write the bank message that asks for held money back: ISO 20022 camt.056, reason FRAD.",
        ),
        Command("order", "hold_decide", "Record the order that confirms a hold before it lapses.", function="order"),
        Command("release", "hold_decide", "Lift a hold.", function="release"),
        Command(
            "return", "hold_decide",
            "Record that ordered money went back to the victim; the holder must have been told before.",
            function="return_to_victim",
        ),
    )),
    Group("notice", "What members tell one another about a case, with files.", (
        Command(
            "send", "notice_send",
            "Tell members of the compact something about a case, or about none, and send them files.",
        ),
        Command("list", "notice_list", "List notices, sent (→) and received (←), oldest first."),
        Command(
            "show", "notice_show",
            "Show a notice: what it says, and what became of each file that came with it.",
        ),
    )),
    Group("attachment", "Files that came with notices, or that we sent.", (
        Command(
            "list", "attachment_list",
            "List what came with notices (←) and what we offer (→), with what became of it.",
        ),
        Command(
            "save", "attachment_save",
            "Write an attachment that has arrived whole to a file: all of it verified again, or no file.",
        ),
        Command(
            "fetch", "attachment_fetch",
            "Fetch again what was refused or failed: there is room now, or the sender has it again.",
        ),
    )),
    Group("item", "What was shared under handling obligations, by peers and by us.", (
        Command("list", "item_list", "List what was shared under obligations: by peers (←) and by us (→)."),
        Command(
            "show", "item_show",
            "Show an item's obligations: who gave it, who may have it, for what, what may be done, and its codes.",
        ),
        Command(
            "retract", "item_retract",
            "Take back what we told others: recipients hide it at once, erase it in the time given, and sign that "
            "they did.",
        ),
        Command(
            "shrink", "item_shrink",
            "Leave what we told others to fewer members. Who is no longer among them must close it, and says so.",
        ),
        Command(
            "widen", "item_widen",
            "Permit more of what we told others. Only its one originator can: not what was made from others' words "
            "too.",
        ),
    )),
    Group("consent", "Asking an originator for more than its obligations allow, and answering who asks us.", (
        Command(
            "ask", "consent_ask",
            "Ask the originators of what a peer told us for more than its obligations allow.",
        ),
        Command(
            "grant", "consent_grant",
            "Consent to what a peer asked: to that use of that item, for that purpose, and until its end only.",
        ),
        Command("refuse", "consent_refuse", "Refuse what a peer asked to do with what we gave it."),
        Command(
            "withdraw", "consent_withdraw",
            "Withdraw a consent that we gave: from when the peer hears of it, it is none.",
        ),
        Command(
            "list", "consent_list",
            "List consents: asked of peers (→) and asked by peers (←). `--json` has each answer as it was signed.",
        ),
    )),
    Group("transfers", "The node's own book of transfers.", (
        Command(
            "import", "transfers_import",
            "Import transfers into the node's book: all of them or, if anything is wrong, none.",
        ),
    )),
    Group("recall", "Banks' requests for payments back, and the answers to them.", (
        Command(
            "show", "recall_show",
            "Show requests for payments back, and answers to them: camt.056 and camt.029, MT192, MT196 and MT199.",
        ),
    )),
    Group("law", "What the law data says, with source and confidence. Not legal advice.", (
        Command("bases", "law_bases", "List the legal bases between two jurisdictions, usable ones first."),
        Command(
            "authority", "law_authority",
            "List the authorities of a jurisdiction, what they are competent for, and how they are reached.",
        ),
        Command(
            "offence", "law_offence",
            "Show an offence: its elements, and each jurisdiction's provision and maximum penalty; or compare two of "
            "them.",
        ),
        Command(
            "check", "law_check",
            "Say what the safeguards make of the facts, with the reason, the article and what is still to be asked.",
        ),
    )),
    Group("log", "The node's log, which others witness.", (
        Command("verify", "log_verify", "Check a log: signature, every tile of every level, root, cosignatures."),
        Command("key", "log_key", "Print the log's verifier key in signed-note form."),
        Command(
            "policy", "log_policy",
            "Show, set or remove the witnesses that must have cosigned before anything is disclosed.",
        ),
        Command(
            "prove", "log_prove",
            "Write the proof that an entry is in the log, to be checked anywhere, offline.",
        ),
        Command(
            "check-proof", "log_check_proof",
            "Check that an entry, or the fields shown of an event, stand in a log.",
        ),
        Command("disclose", "log_disclose", "Show some fields of an event, and prove that they are in the log."),
        Command(
            "check-disclosure", "log_check_disclosure",
            "Check that the fields shown of an event stand in a log.",
        ),
        Command(
            "fsck", "log_fsck",
            "Compare every file of a node's log with its database, and the database with itself.",
        ),
        Command("mirror", "log_mirror", "Copy a log, or bring a copy up to date; the copy is itself a log."),
        Command(
            "misconduct", "log_misconduct",
            "Prove that a log signed two trees that cannot both be true, or check such a proof.",
        ),
    )),
    Group("witness", "An oversight body's witness, on its own: it sees to it that logs only grow.", (
        Command("init", "witness_init", "Create a witness of its own: a key, and a record of what it has seen."),
        Command("add", "witness_add", "Let the witness cosign a log; the key's name is the log's origin line."),
        Command("run", "witness_run", "Run a witness until Ctrl-C: it cosigns what its logs show to have grown."),
        Command(
            "show", "witness_show",
            "Show a witness: its key, the logs it knows, what it saw, and which told two stories.",
        ),
    )),
    Group("node", "Create and run a node.", (
        Command("init", "node_init", "Create a node: keys, database, policies, log and the first administrator."),
        Command("run", "node_run", "Run a node until Ctrl-C: its pages, its peer surface and its work."),
        Command("move", "node_move", "Move a stopped node's records from its file to a PostgreSQL database."),
    )),
    Group("compact", "The compact: the register of peers a node talks to.", (
        Command(
            "create", "compact_create",
            "Form a compact from the cards of its members: a register that several states sign together.",
        ),
        Command(
            "sign", "compact_sign",
            "Sign a proposal for a compact, or for a change of one, with this state's register key.",
        ),
        Command(
            "join", "compact_join",
            "Join a compact: from then on the node talks to its members, and to nobody else.",
        ),
        Command(
            "show", "compact_show",
            "Show a compact this node has joined: members, keys in use, how fresh its register is, the "
            "fingerprint.",
        ),
        Command(
            "update", "compact_update",
            "Take over a later version of a compact's register, from the other members' nodes or from a file.",
        ),
        Command("add", "compact_add", "Take further members into a compact."),
        Command(
            "remove", "compact_remove",
            "Let a member leave a compact, with its state if it was that state's only one.",
        ),
        Command(
            "rotate", "compact_rotate",
            "Give this node new signing, sealing and TLS keys in every compact it has joined.",
        ),
        Command("revoke", "compact_revoke", "Revoke a member's keys from this moment on, and tell every member."),
        Command(
            "renew", "compact_renew",
            "Propose that every signed part of the register holds for two more years; every state signs.",
        ),
    )),
    Group("peer", "What this node itself says of single peers, above every compact.", (
        Command(
            "list", "peer_list",
            "List the peers of this node, the compacts they are in, and what this node says of them.",
        ),
        Command("pin", "peer_pin", "Hold a peer to the signing key it has now."),
        Command("refuse", "peer_refuse", "Refuse a peer: this node treats it as no member of any compact."),
        Command("trust", "peer_trust", "Take back what this node said of a peer: from now on its registers decide."),
    )),
    Group("person", "The people of a node and their roles.", (
        Command("add", "person_add", "Add somebody to the node. Their password is printed once."),
        Command("list", "person_list", "List the people of a node and their roles."),
    )),
)
# fmt: on

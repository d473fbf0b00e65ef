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
        Command(
            "new", "request_new",
            "Draft a request under a procedure: mutual legal assistance, extradition, a hand-over and the others.",
        ),
        Command(
            "letter", "request_letter",
            "Make the letter of a request as PDF: bilingual where the receiving state asks, the message attached.",
        ),
        Command("amend", "request_amend", "State fields of a request anew, while it is still a draft here."),
        Command(
            "send", "request_decide",
            "Send a drafted request; a second person does, where its procedure asks for four eyes.",
            function="request_send",
        ),
        Command(
            "decide", "request_decide",
            "Let an event happen to a request: acknowledge, accept, execute, deliver and all others of its procedure.",
        ),
        Command(
            "extend", "request_decide",
            "Extend the running term of a request, with a reason; the law's own terms are not extended so.",
            function="request_extend",
        ),
        Command(
            "settle", "request_settle",
            "Go on with a request on which both halves disagreed, once people have looked; the other side does so too.",
        ),
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
    Group("deadline", "Deadlines: each is fired once, in order, by whoever sweeps first.", (
        Command(
            "list", "deadline_list",
            "List the deadlines that run: of what, by which rule, legal or a target, until when, and where it is from.",
        ),
        Command(
            "sweep", "deadline_sweep",
            "Let everything come due whose time is over, in order; a running node does this by itself.",
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
    Group("deconflict", "Whether another member works the same target: that, and nothing else until both agree.", (
        Command(
            "check", "deconflict_check",
            "List identifiers as targets of a case, and ask members whether they work the same ones.",
        ),
        Command(
            "list", "deconflict_list",
            "List hits with their stage, rounds asked of peers (→) and by peers (←), and what is listed as targets.",
        ),
        Command(
            "agree", "deconflict_agree",
            "Agree that the other side may know our case and whom to contact; they go once it has agreed as well.",
        ),
    )),
    Group("operation", "Joint operations: every member says go, or nobody goes.", (
        Command(
            "new", "operation_new",
            "Propose a joint operation to its members, or change its plan: then everybody must say go anew.",
        ),
        Command(
            "list", "operation_list",
            "List joint operations: whether each goes, who is silent, and until when everybody must have spoken.",
        ),
        Command(
            "show", "operation_show",
            "Show a joint operation: who acts where and when under whose authority, every member's word, results.",
        ),
        Command(
            "go", "operation_word",
            "Say go to the plan that stands. It goes when every member has said so before the deadline.", function="go",
        ),
        Command(
            "no-go", "operation_word",
            "Say no-go: from then on nobody goes. Possible until the first action begins; only a new plan changes it.",
            function="no_go",
        ),
        Command(
            "result", "operation_result",
            "Tell the other members what this member's part of an operation brought, once it has begun.",
        ),
    )),
    Group("team", "Joint investigation teams: an agreement, and a space that its members share.", (
        Command(
            "new", "team_new",
            "Put the agreement of a joint investigation team before its members. In force when all have signed it.",
        ),
        Command(
            "list", "team_list",
            "List joint investigation teams: who is in, whether each is in force, and until when.",
        ),
        Command(
            "show", "team_show",
            "Show a team: its agreement and digest, who has signed, what its members shared, and the head of each "
            "chain.",
        ),
        Command(
            "sign", "team_sign",
            "Sign a team's agreement, by the digest of the text that was read; or agree that it runs for longer.",
        ),
        Command(
            "share", "team_share",
            "Share information or evidence with the members of a team and nobody else; or this member's evaluation.",
            function="share",
        ),
        Command(
            "leave", "team_share",
            "Leave a team: nothing more comes or goes. What was shared keeps its obligations.", function="leave",
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
        Command(
            "calendar", "law_calendar",
            "Show the days off of a jurisdiction, or when a term ends there; what nobody can know yet is said to be "
            "unknown.",
        ),
    )),
    Group("procedure", "The procedures that requests follow, declared as data.", (
        Command(
            "list", "procedure_list",
            "List the procedures that ship, with their versions, and whether one node runs them or two.",
        ),
        Command(
            "show", "procedure_show",
            "Show a procedure: who may decide what, under which gates, in which time, and on which grounds it may be "
            "refused.",
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
    Group("victim", "The victims' vault: people, consents, screenings; for victim-support officers only.", (
        Command(
            "init", "victim_vault", "Create the node's victims' vault, with a key and a passphrase of its own.",
            function="init",
        ),
        Command(
            "admit", "victim_person",
            "Take a person into the vault; prints what this node calls them in that case.", function="admit",
        ),
        Command(
            "list", "victim_person",
            "List the people in the vault by pseudonym, with what their screenings found.", function="list_",
        ),
        Command(
            "show", "victim_person", "Show all that the vault has of a person; the reading is recorded.",
            function="show",
        ),
        Command(
            "correct", "victim_person",
            "Replace fields of a person's record; nothing of what stood in them is kept.", function="correct",
        ),
        Command(
            "indicators", "victim_screen",
            "List the indicators of trafficking for forced criminality, and the rule over them. No node is needed.",
            function="indicators",
        ),
        Command(
            "screen", "victim_screen",
            "Record a screening of a person, and say what all of them found together.", function="screen",
        ),
        Command(
            "state", "victim_screen",
            "State a screening's result as the facts that a hand-over needs, under the recipient's pseudonym.",
            function="state",
        ),
        Command(
            "pseudonym", "victim_person",
            "Give the pseudonym by which one recipient may know a person in a case.", function="pseudonym",
        ),
        Command(
            "consent", "victim_consent",
            "Record a person's consent: to this recipient, for this purpose, for these fields, until it ends.",
            function="consent",
        ),
        Command(
            "withdraw", "victim_consent",
            "Record that a person took a consent back: nothing leaves under it from now on.", function="withdraw",
        ),
        Command(
            "disclose", "victim_consent",
            "Hand out what a person consents to: those fields, under the recipient's own pseudonym. Always JSON.",
            function="disclose",
        ),
        Command(
            "reflect", "victim_protect",
            "Begin a person's reflection period, or make it longer: no removal, and no interview without consent.",
            function="reflect",
        ),
        Command(
            "protection", "victim_protect",
            "Say what may be done to a person now: removal, interview, return, punishment; with the reason.",
            function="protection",
        ),
        Command(
            "return", "victim_protect",
            "Record a risk assessment of a person's return: not safe, not voluntary or unknown is no return.",
            function="return_",
        ),
        Command(
            "erase", "victim_person",
            "Erase a person for ever: their data key is destroyed, and the vault's file written anew.",
            function="erase",
        ),
        Command(
            "settle", "victim_vault",
            "Record as missing what the node's log tells of the vault and the vault does not have.",
            function="settle",
        ),
    )),
    Group("node", "Create and run a node.", (
        Command("init", "node_init", "Create a node: keys, database, policies, log and the first administrator."),
        Command("run", "node_run", "Run a node until Ctrl-C: its pages, its peer surface and its work."),
        Command(
            "policies", "node_policies",
            "List what no policy of this node permits to anybody, and the files that ship for it; or add one of "
            "them.",
        ),
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
        Command(
            "list", "person_list",
            "List the people of a node, their roles, whose accounts are one human's, and who stands in for whom.",
        ),
        Command(
            "deputise", "person_deputise", "Let somebody act in the role of a person who is away, until a date.",
        ),
        Command(
            "end-deputy", "person_end_deputy", "End a deputy's role before its date, and every session in it.",
        ),
        Command(
            "remove", "person_remove",
            "End somebody's access: password, sessions, tokens and deputies. What they did stays, under their name.",
        ),
    )),
    Group("token", "Tokens with which programs use the node's API.", (
        Command(
            "new", "token_new",
            "Issue a token, with which a program uses the node's API in the name and role of one person.",
        ),
        Command(
            "list", "token_list",
            "List the tokens of programs: whose, until when, when last used, and what became of them.",
        ),
        Command("revoke", "token_revoke", "Revoke a program's token: from now on it is good for nothing."),
    )),
)
# fmt: on

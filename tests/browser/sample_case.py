"""A case to look at: CAD 2.3 million taken from a law firm's trust account, as the Canadian node sees it."""

from datetime import UTC, datetime, timedelta

from comity.node.pages.views import (
    Amount,
    AttachmentRow,
    CasePage,
    ChokeRow,
    DeadlineRow,
    EventRow,
    Federation,
    FlowGraph,
    FlowKind,
    FlowLink,
    FlowNode,
    FlowState,
    HoldingRow,
    HoldRow,
    HoldState,
    NoticeRow,
    OpenPartRow,
    Refusal,
    RequestOutcome,
    RequestRow,
)

REPORTED_AT = datetime(2025, 6, 18, 13, 0, 4, tzinfo=UTC)
NOW = datetime(2025, 6, 18, 15, 12, 40, tzinfo=UTC)
CASE_ID = "CA-2025-0618-01"


def cad(minor: int) -> Amount:
    return Amount(minor=minor, currency="CAD")


def hkd(minor: int) -> Amount:
    return Amount(minor=minor, currency="HKD")


def thb(minor: int) -> Amount:
    return Amount(minor=minor, currency="THB")


def usdt(minor: int) -> Amount:
    return Amount(minor=minor, currency="USDT", digits=6)


def after(minutes: float) -> datetime:
    return REPORTED_AT + timedelta(minutes=minutes)


def _node(
    id_: str,
    bank: str,
    country: str,
    minutes: float | None,
    *,
    kind: FlowKind = FlowKind.ACCOUNT,
    resting: tuple[Amount, ...] = (),
    held: tuple[Amount, ...] = (),
    state: FlowState = FlowState.KNOWN,
) -> FlowNode:
    return FlowNode(
        id=id_,
        kind=kind,
        account=id_,
        institution=bank,
        country=country,
        at=None if minutes is None else after(minutes),
        resting=resting,
        held=held,
        state=state,
    )


def _link(
    source: str,
    target: str,
    amount: Amount,
    minutes: float | None,
    *,
    crossing: bool = False,
    arrived: Amount | None = None,
    transfers: int = 1,
    state: FlowState = FlowState.KNOWN,
) -> FlowLink:
    return FlowLink(
        source=source,
        target=target,
        amount=amount,
        at=None if minutes is None else after(minutes),
        crossing=crossing,
        arrived=arrived,
        transfers=transfers,
        state=state,
    )


FLOW = FlowGraph(
    nodes=(
        _node("CA-TRUST-0041", "Burrard Trust Bank", "CA", -41, kind=FlowKind.VICTIM),
        _node("HK-388-204116", "Harbour Commercial Bank", "HK", -40,
              resting=(hkd(412_800_000),), held=(hkd(412_800_000),)),
        _node("", "Followed by Hong Kong", "HK", -31, kind=FlowKind.BEYOND),
        _node("HK-024-771209", "Kowloon Mutual Bank", "HK", -22,
              resting=(hkd(168_000_000),), held=(hkd(168_000_000),)),
        _node("HK-012-550018", "Pearl River Exchange Ltd", "HK", -19, kind=FlowKind.EXCHANGE,
              resting=(hkd(21_500_000),)),
        _node("TH-7741-0092", "Siam Riverside Bank", "TH", -12,
              resting=(thb(1_240_000_000),), held=(thb(1_100_000_000),)),
        _node("TH-1180-5523", "Chao Phraya Savings", "TH", -9),
        _node("KH-0099-118", "Tonle Merchant Bank", "KH", -7, state=FlowState.REFUSED),
        _node("HK-024-880031", "Kowloon Mutual Bank", "HK", 14,
              resting=(hkd(98_000_000),), held=(hkd(98_000_000),)),
        _node("TQm4…x81Z", "Self-hosted wallet", "KH", 22, kind=FlowKind.WALLET,
              resting=(usdt(61_250_000_000),), state=FlowState.OPEN),
        _node("Branch 114", "Chao Phraya Savings", "TH", 9, kind=FlowKind.CASH, resting=(thb(48_000_000),)),
    ),
    links=(
        _link("CA-TRUST-0041", "HK-388-204116", cad(230_000_000), -40, crossing=True,
              arrived=hkd(1_324_800_000)),
        _link("HK-388-204116", "", hkd(912_000_000), -31, transfers=7),
        _link("", "HK-024-771209", hkd(168_000_000), None, transfers=3),
        _link("", "HK-012-550018", hkd(131_500_000), None, transfers=2),
        _link("", "TH-7741-0092", hkd(290_000_000), -12, crossing=True, arrived=thb(1_240_000_000)),
        _link("", "TH-1180-5523", hkd(192_500_000), -9, crossing=True, arrived=thb(823_000_000)),
        _link("", "KH-0099-118", hkd(130_000_000), -7, crossing=True, state=FlowState.REFUSED),
        _link("TH-1180-5523", "HK-024-880031", thb(419_000_000), 14, crossing=True, arrived=hkd(98_000_000)),
        _link("TH-1180-5523", "Branch 114", thb(48_000_000), 9, transfers=4),
        _link("TH-1180-5523", "TQm4…x81Z", thb(356_000_000), 22, crossing=True, arrived=usdt(61_250_000_000),
              state=FlowState.OPEN),
    ),
)  # fmt: skip

HOLDINGS = (
    HoldingRow(account="HK-388-204116", institution="Harbour Commercial Bank", country="HK",
               tainted=hkd(412_800_000), balance=hkd(455_120_033), told_by="Hong Kong ADU"),
    HoldingRow(account="TH-7741-0092", institution="Siam Riverside Bank", country="TH",
               tainted=thb(1_240_000_000), balance=None, told_by="Thailand AMLO"),
    HoldingRow(account="HK-024-771209", institution="Kowloon Mutual Bank", country="HK",
               tainted=hkd(168_000_000), balance=hkd(168_000_000), told_by="Hong Kong ADU"),
    HoldingRow(account="CA-FEE-0007", institution="Burrard Trust Bank", country="CA",
               tainted=cad(1_500), balance=cad(1_500), told_by=""),
)  # fmt: skip

HOLDS = (
    HoldRow(id="H-1", account="HK-388-204116", institution="Harbour Commercial Bank", country="HK",
            amount=hkd(412_800_000), state=HoldState.CONFIRMED, placed_by="Hong Kong ADU",
            placed_at=after(6.2), lapses_at=None),
    HoldRow(id="H-2", account="HK-024-771209", institution="Kowloon Mutual Bank", country="HK",
            amount=hkd(168_000_000), state=HoldState.PLACED, placed_by="Hong Kong ADU", placed_at=after(6.4),
            lapses_at=after(6.4 + 72 * 60)),
    HoldRow(id="H-3", account="TH-7741-0092", institution="Siam Riverside Bank", country="TH",
            amount=thb(1_100_000_000), state=HoldState.PLACED, placed_by="Thailand AMLO", placed_at=after(31),
            lapses_at=after(31 + 48 * 60)),
    HoldRow(id="H-4", account="HK-024-880031", institution="Kowloon Mutual Bank", country="HK",
            amount=hkd(98_000_000), state=HoldState.LAPSED, placed_by="Hong Kong ADU", placed_at=after(44),
            lapses_at=after(104)),
)  # fmt: skip

REQUESTS = (
    RequestRow(
        id="R-CA-0001", sent_by_us=True, peer="Hong Kong ADU", country="HK", procedure="urgent-freeze",
        state="answered", outcome=RequestOutcome.ANSWERED,
        legal_basis="Agreement on Mutual Legal Assistance in Criminal Matters, Canada and Hong Kong (2001)",
        basis_reasons=("In force between both since 1 March 2002", "Covers restraint of proceeds of crime"),
        issued_at=after(1.5), answered_at=after(6.5),
        deadlines=(
            DeadlineRow(label="Acknowledge", due_at=after(16.5), met_at=after(1.6), missed=False),
            DeadlineRow(label="Confirm by order", due_at=after(6.4 + 72 * 60), met_at=None, missed=False),
        ),
        refusal=None, result="Two accounts held; money had left to Thailand and Cambodia.",
    ),
    RequestRow(
        id="R-CA-0002", sent_by_us=True, peer="Thailand AMLO", country="TH", procedure="trace-and-hold",
        state="running", outcome=RequestOutcome.RUNNING,
        legal_basis="Treaty on Mutual Assistance in Criminal Matters, Canada and Thailand (1988)",
        basis_reasons=("In force since 3 October 1994",), issued_at=after(8), answered_at=None,
        deadlines=(DeadlineRow(label="Answer", due_at=after(8 + 24 * 60), met_at=None, missed=False),),
        refusal=None, result="",
    ),
    RequestRow(
        id="R-CA-0003", sent_by_us=True, peer="Cambodia FIU", country="KH", procedure="trace-and-hold",
        state="refused", outcome=RequestOutcome.REFUSED,
        legal_basis="United Nations Convention against Transnational Organized Crime (2000), article 18",
        basis_reasons=("Both are parties", "No bilateral treaty in force"),
        issued_at=after(8.2), answered_at=after(26),
        deadlines=(DeadlineRow(label="Answer", due_at=after(20), met_at=None, missed=True),),
        refusal=Refusal(
            ground="A domestic investigation would be prejudiced", source="UNTOC article 18(25)",
            words="The account is part of an inquiry of our own. We will come back to you in thirty days.",
        ),
        result="",
    ),
)  # fmt: skip

NOTICES = (
    NoticeRow(
        id="message-5e0c21a9f4d37b60", sent_by_us=True, peers=("hk-adu", "th-amlo"), person="a.chen",
        subject="Statement of the firm's bookkeeper",
        lines=("Taken this morning. She names the caller and the number he used.", "",
               "Pages 4 to 6 matter for the account in Kowloon."),
        at=after(34),
        attachments=(
            AttachmentRow(id="3f5a09c1d2e4b7a8" * 4, name="statement-bookkeeper.pdf", media_type="application/pdf",
                          size=2_412_003, digest="9c4d" * 16, whole=False, trouble=False,
                          state="whole at hk-adu; not yet fetched by th-amlo"),
        ),
    ),
    NoticeRow(
        id="message-0a77de1c90b2f358", sent_by_us=False, peers=("hk-adu",), person="",
        subject="Camera footage, counter 3", lines=("The man who opened HK-024-771209, on 17 June.",), at=after(58),
        attachments=(
            AttachmentRow(id="b81f00aa27c6d955" * 4, name="branch-114-counter-3.mp4", media_type="video/mp4",
                          size=9_880_112_640, digest="07ab" * 16, whole=True, trouble=False, state="here, sealed"),
            AttachmentRow(id="c91f00aa27c6d955" * 4, name="branch-114-all-cameras-2025-06-17-raw.tar",
                          media_type="application/x-tar", size=88_046_829_568, digest="08ab" * 16, whole=False,
                          trouble=True, state="not taken (larger than the 53,687,091,200 bytes that this node takes)"),
        ),
    ),
    NoticeRow(
        id="message-77aa10b2c3d4e5f6", sent_by_us=False, peers=("kh-fiu",), person="", subject="", lines=(),
        at=after(71), attachments=(), withheld="retracted by kh-fiu",
    ),
)  # fmt: skip

OPEN_PARTS = (
    OpenPartRow(
        peer="th-amlo", countries=("TH", "LA"), amounts=(thb(83_600_000),), transfers=("t-1", "t-2"),
        since=after(8), code="unanswered", why="th-amlo has the request and has not answered it",
        request="R-CA-0002", late=True,
    ),
    OpenPartRow(
        peer="kh-fiu", countries=("KH",), amounts=(hkd(130_000_000), usdt(61_250_000_000)), transfers=("t-3",),
        since=after(26), code="cannot-be-asked", why="it refused on a ground that no other basis mends", request="",
        late=False,
    ),
)  # fmt: skip

CHOKES = (
    ChokeRow(
        account="HK-012-000001", institution="Pearl River Exchange Ltd", country="HK", amount=hkd(110_000_000),
        transfers=2, kind="omnibus", told_by="Hong Kong ADU",
        request="The sub-ledger of the pooled account: whose claim each booking made larger or smaller",
        addressee="the institution that keeps it", basis="FATF Recommendations 10 and 16",
    ),
)  # fmt: skip

_STORY = (
    (
        0.0,
        "report.received",
        "a.chen",
        "Burrard Trust Bank reported CAD 2,300,000.00 taken by a changed invoice",
    ),
    (0.4, "trace.computed", "node", "1 transfer followed; CAD 2,300,000.00 left to Hong Kong"),
    (1.2, "request.approved", "policy", "Urgent freeze to Hong Kong ADU approved by standing policy 4"),
    (1.5, "request.sent", "node", "Urgent freeze sent to Hong Kong ADU"),
    (6.5, "answer.received", "node", "Hong Kong ADU answered: 2 holdings held, 3 exits"),
    (8.0, "request.sent", "node", "Trace and hold sent to Thailand AMLO"),
    (8.2, "request.sent", "node", "Trace and hold sent to Cambodia FIU"),
    (26.0, "refusal.received", "node", "Cambodia FIU refused: a domestic investigation would be prejudiced"),
    (31.1, "answer.received", "node", "Thailand AMLO answered in part: 1 account held, 3 exits"),
    (104.0, "hold.lapsed", "node", "The hold on HK-024-880031 lapsed: no order confirmed it in time"),
    (
        112.0,
        "trace.left-compact",
        "node",
        "USDT 61,250.000000 went to TQm4f6e41X8tBwPwsfu4ejVXLNSeN9RN4siTPfu4ejVXLNSe81Z: no member has a book there",
    ),
    (130.0, "case.read", "m.tremblay", "m.tremblay read the case"),
)
EVENTS = tuple(
    EventRow(
        id=f"ev-{place}", at=after(minutes), kind=kind, actor=actor, summary=summary, log_index=1040 + place
    )
    for place, (minutes, kind, actor, summary) in enumerate(_STORY)
)


def case_page(reading: EventRow) -> CasePage:
    return CasePage(
        id=CASE_ID,
        title="Law firm in Vancouver: changed invoice, CAD 2.3 M",
        status="open",
        asked_by="",
        rule="fifo",
        as_of=NOW,
        reported_at=REPORTED_AT,
        reported=(cad(230_000_000),),
        traced=(cad(230_000_000),),
        held=(hkd(580_800_000), thb(1_100_000_000)),
        returned=(),
        time_to_first_hold=timedelta(minutes=6, seconds=12),
        flow=FLOW,
        events=(*EVENTS, reading),
        holdings=HOLDINGS,
        holds=HOLDS,
        requests=REQUESTS,
        reading=reading,
        notices=NOTICES,
        open_parts=OPEN_PARTS,
        chokes=CHOKES,
        federation=Federation(
            rounds=3, messages=6, bytes=161_380, sent=3, sent_bytes=27_412, received=3, received_bytes=133_968
        ),
    )

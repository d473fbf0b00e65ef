"""The network between the nodes: a TCP proxy before each peer surface, with a switch for every ordered pair.

Who calls is told by the kernel (which process holds the socket), as TLS 1.3 shows no certificate on the wire.
"""

import asyncio
import os
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

CHUNK = 64 * 1024
REQUEST_BYTES = 2_500
"""More than a handshake's last flight: what follows it from the other side is an answer."""
Pair = tuple[str, str]


class Link(StrEnum):
    """What a link does with bytes."""

    OPEN = "open"
    CUT = "cut"
    BLACK_HOLE = "black hole"
    SLOW = "slow"
    FLIPPING = "flipping bits"
    DEAF = "answers lost"


class Proxies:
    """One proxy a node, all in one thread. `links` may be set from anywhere; what is not in it is open."""

    def __init__(self, ways: dict[str, tuple[int, int]], callers: Callable[[], dict[int, str]], seed: int):
        """`ways`: node → (port that peers are told, port it listens on). `callers`: pid → node, now."""
        self.links: dict[Pair, Link] = {}
        self.counts: dict[str, int] = dict.fromkeys(Link, 0)
        self._ways, self._callers, self._dice = ways, callers, random.Random(f"proxy {seed}")
        self._open: dict[asyncio.StreamWriter, Pair] = {}
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        for node_id, (outer, inner) in self._ways.items():
            asyncio.run_coroutine_threadsafe(self._listen(node_id, outer, inner), self._loop).result(10)

    def stop(self) -> None:
        """Close everything; harmless where nothing was started."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        if not self._loop.is_closed():
            self._loop.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def set(self, pair: Pair, link: Link) -> None:
        """Switch a link; what was open on it breaks off, unless it only becomes slower or worse."""
        self.links[pair] = link
        if link in (Link.CUT, Link.OPEN):
            self._loop.call_soon_threadsafe(self._break, pair)

    def _break(self, pair: Pair) -> None:
        for writer, of in list(self._open.items()):
            if of == pair:
                writer.transport.abort()

    async def _listen(self, node_id: str, outer: int, inner: int) -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                await self._carry(node_id, inner, reader, writer)

        self._servers.append(await asyncio.start_server(accept, "127.0.0.1", outer, limit=CHUNK))

    async def _carry(
        self, node_id: str, inner: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        pair = (
            caller(writer.get_extra_info("peername")[1], self._ways[node_id][0], self._callers()),
            node_id,
        )
        other: asyncio.StreamWriter | None = None
        try:
            if self._link(pair) is Link.CUT:
                self.counts[Link.CUT] += 1
                return
            back, other = await asyncio.open_connection("127.0.0.1", inner, limit=CHUNK)
            self._open[writer] = self._open[other] = pair
            sent = [0]
            await asyncio.gather(
                self._pump(pair, reader, other, sent, up=True), self._pump(pair, back, writer, sent, up=False)
            )
        finally:
            for end in (writer, other):
                if end is not None:
                    self._open.pop(end, None)
                    end.transport.abort()

    async def _pump(
        self,
        pair: Pair,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sent: list[int],
        *,
        up: bool,
    ) -> None:
        """`sent` is how many bytes went up since anything came down."""
        while part := await reader.read(CHUNK):
            link = self._link(pair)
            self.counts[link] += 1
            if link is Link.CUT or (link is Link.DEAF and not up and sent[0] >= REQUEST_BYTES):
                break
            if link is Link.BLACK_HOLE:
                while self._link(pair) is Link.BLACK_HOLE:
                    await asyncio.sleep(0.05)
                break
            if link is Link.SLOW:
                await asyncio.sleep(self._dice.uniform(0.0, 0.12))
            if link is Link.FLIPPING and self._dice.random() < 0.3:
                place = self._dice.randrange(len(part))
                part = part[:place] + bytes([part[place] ^ 1 << self._dice.randrange(8)]) + part[place + 1 :]
            sent[0] = sent[0] + len(part) if up else 0
            writer.write(part)
            await writer.drain()
        writer.transport.abort()

    def _link(self, pair: Pair) -> Link:
        return self.links.get(pair, Link.OPEN)


def caller(port: int, to: int, processes: dict[int, str]) -> str:
    """Which of `processes` has a TCP connection from local `port` to local port `to`; empty if it is gone already."""
    inode = "0"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        field = line.split()
        ends = tuple(int(end.rpartition(":")[2], 16) for end in field[1:3])
        if ends == (port, to) and field[9] != "0":
            inode = field[9]
    for pid, name in processes.items():
        with suppress(OSError):
            for handle in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{handle}") == f"socket:[{inode}]":
                        return name
    return ""

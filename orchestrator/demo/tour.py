"""The demo: an orchestrator and three emulated servers on this machine, requests through them, and one server killed on the way."""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import Struct

from orchestrator.demo.asking import Answer, Dialect, ask
from orchestrator.demo.children import Child, ChildFailed, Children
from orchestrator.demo.place import HOST, Place
from orchestrator.demo.speech import TEXT

KEY_VARIABLE = "DEMO_UPSTREAM_KEY"
READY_SECONDS = 30.0
KILL_SECONDS = 15.0
SLOW_MODEL = "patient:13b"
SLOW_SECONDS = 1.5
REQUESTS: tuple[tuple[Dialect, str, bool], ...] = (
    ("ollama", "llama3.2:latest", True),
    ("ollama", "llama3.2:latest", False),
    ("ollama", "qwen3:8b", True),
    ("openai", "gpt-demo", True),
    ("openai", "gpt-demo", False),
    ("openai", "qwen3:8b", True),
)


class DemoFailed(Exception):
    """Something did not go as the demo promises; the text is for the person at the terminal."""


class Emulated(Struct, frozen=True):
    """One server of the demo's fleet."""

    id: str
    speaks: str
    models: str
    key: bool = False


FLEET = (
    Emulated("attic", "ollama", f"llama3.2:latest,{SLOW_MODEL}"),
    Emulated("cellar", "openai", "gpt-demo", key=True),
    Emulated("workshop", "both", f"llama3.2:latest,qwen3:8b,{SLOW_MODEL}"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo. 0 if all went well, 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="orchestrator demo", description="Start the orchestrator with three emulated servers and show what it does.")
    parser.add_argument("--once", action="store_true", help="end after the table: 0 if all was well, 1 if anything was wrong")
    args = parser.parse_args(argv)
    with suppress(AttributeError):  # whoever replaced sys.stdout by something without it
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return asyncio.run(_until_told(once=args.once))


async def _until_told(*, once: bool) -> int:
    """The tour as a task that SIGINT and SIGTERM cancel, so that everything is cleaned up on the way out."""
    tour = asyncio.create_task(_tour(once=once))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not tour.cancelling():  # a second Ctrl-C must not disturb the ending of the children
            tour.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        return await tour
    except asyncio.CancelledError:
        return 0 if not once else 1
    except (DemoFailed, ChildFailed) as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1


async def _tour(*, once: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="orchestrator-demo-", ignore_cleanup_errors=True) as folder:
        children, place = Children(Path(folder)), Place()
        timeout = aiohttp.ClientTimeout(total=60)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                faults = await _show(session, children, place, Path(folder))
            if once:
                return 1 if faults else 0
            _print_what_next(place)
            await asyncio.Event().wait()
        finally:
            await children.end()
            place.close()
    return 0


async def _show(session: aiohttp.ClientSession, children: Children, place: Place, folder: Path) -> list[str]:
    """Everything up to the table; what was wrong in it, in words."""
    env = _environment(folder, place)
    orchestrator = await children.start("orchestrator", ["orchestrator", "serve"], env)
    emulated = {server.id: await _start_emulated(children, server, env) for server in FLEET}
    await _until_ready(session, place, orchestrator)
    print(f"orchestrator on {place.url}, data in {folder}")
    for server in FLEET:
        await _register(session, place, server, await emulated[server.id].line("http://"))
    await _until_discovered(session, place)
    answers = [await ask(session, place.url, dialect, model, stream=stream) for dialect, model, stream in REQUESTS]
    killed, survivor = await _kill_one_during_a_request(session, place, emulated)
    answers.append(survivor)
    _print_table(answers)
    faults = [f"{answer.dialect} {answer.model}: {fault}" for answer in answers if (fault := _fault_of(answer))]
    faults += _faults_of_failover(killed, survivor)
    print(f"\n{killed} was killed before its first token; {survivor.server} answered instead, and the client did not notice." if not faults else "")
    for fault in faults:
        print(f"wrong: {fault}", file=sys.stderr)
    return faults


def _environment(folder: Path, place: Place) -> dict[str, str]:
    """What the children see: no setting of the caller's own orchestrator, and a key made for this run."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    env["ORCHESTRATOR_HOST"], env["ORCHESTRATOR_PORT"] = HOST, str(place.port)
    env["ORCHESTRATOR_DATA_DIR"] = str(folder / "data")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    env[KEY_VARIABLE] = secrets.token_urlsafe(24)
    return env


async def _start_emulated(children: Children, server: Emulated, env: dict[str, str]) -> Child:
    options = ["--speaks", server.speaks, "--models", server.models, "--slow-model", SLOW_MODEL, "--slow-seconds", str(SLOW_SECONDS)]
    key = ["--key-env", KEY_VARIABLE] if server.key else []
    return await children.start(server.id, ["orchestrator.demo.emulated", *options, *key], env)


async def _until_ready(session: aiohttp.ClientSession, place: Place, orchestrator: Child) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                if not orchestrator.alive:
                    raise DemoFailed(f"the orchestrator ended at once:\n{orchestrator.last_words()}")
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{place.url}/api/servers") as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise DemoFailed(f"the orchestrator did not come up:\n{orchestrator.last_words()}") from None


async def _register(session: aiohttp.ClientSession, place: Place, server: Emulated, url: str) -> None:
    body = {"id": server.id, "url": url} | ({"apiKey": f"env:{KEY_VARIABLE}"} if server.key else {})
    async with session.post(f"{place.url}/api/servers", json=body) as response:
        if response.status != 201:
            raise DemoFailed(f"{server.id} was not registered: {response.status} {await response.text()}")
    print(f"  registered {server.id:9} {url}  speaks {server.speaks}" + (f", wants the key in {KEY_VARIABLE}" if server.key else ""))


async def _servers(session: aiohttp.ClientSession, place: Place) -> list[dict[str, Any]]:
    async with session.get(f"{place.url}/api/servers") as response:
        body = await response.json()
    servers: list[dict[str, Any]] = body
    return servers


async def _until_discovered(session: aiohttp.ClientSession, place: Place) -> None:
    expected = {server.id: (server.speaks != "openai", server.speaks != "ollama") for server in FLEET}
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                servers = await _servers(session, place)
                found = {server["id"]: (server["supportsOllama"], server["supportsV1"]) for server in servers if server["healthy"]}
                if expected.items() <= found.items():
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        told = ", ".join(f"{server['id']} {server['status']} ({server['statusReason']})" for server in servers)
        raise DemoFailed(f"not all servers were discovered: {told}") from None


async def _kill_one_during_a_request(session: aiohttp.ClientSession, place: Place, emulated: dict[str, Child]) -> tuple[str, Answer]:
    """Asks for the slow model, which two servers have, and kills the one that was asked before it says anything."""
    asking = asyncio.ensure_future(ask(session, place.url, "ollama", SLOW_MODEL, stream=True))
    try:
        async with asyncio.timeout(KILL_SECONDS):
            while not (busy := [server["id"] for server in await _servers(session, place) if server["inFlight"]]):
                if asking.done():
                    raise DemoFailed(f"the request was over before a server could be killed: {asking.result().fault or 'answered'}")
                await asyncio.sleep(0.02)
            await emulated[busy[0]].kill()
            return busy[0], await asking
    except TimeoutError:
        raise DemoFailed("the request that should have failed over was not answered in time") from None
    finally:
        asking.cancel()


def _fault_of(answer: Answer) -> str:
    """Empty if the answer is whole, says what the servers say, and tells who said it."""
    if answer.fault:
        return answer.fault
    if answer.text != TEXT or not answer.tokens:
        return f"the text is not whole: {answer.text!r}, {answer.tokens} tokens"
    return "" if answer.server in {server.id for server in FLEET} else "no X-Orchestrator-Server header"


def _faults_of_failover(killed: str, survivor: Answer) -> list[str]:
    faults = [f"{killed} answered though it was killed"] if survivor.server == killed else []
    return faults if survivor.attempts == "2" else [*faults, f"failover took {survivor.attempts} attempts, not 2"]


def _print_table(answers: Sequence[Answer]) -> None:
    rows = [("protocol", "model", "mode", "server", "attempts", "first token", "tokens")]
    for answer in answers:
        first = f"{answer.first_token_seconds * 1000:.0f} ms"
        mode = "stream" if answer.stream else "plain"
        rows.append((answer.dialect, answer.model, mode, answer.server, answer.attempts, first, str(answer.tokens)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(cell.rjust(width) if column > 3 else cell.ljust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip())


def _print_what_next(place: Place) -> None:
    message = '[{"role": "user", "content": "Hi"}]'
    print(f"""
Ollama clients    {place.url}
OpenAI clients    {place.url}/v1
Admin UI          {place.url}/ui/
Admin API         {place.url}/api/servers

curl {place.url}/api/servers
curl {place.url}/api/chat -d '{{"model": "llama3.2:latest", "messages": {message}}}'
curl {place.url}/v1/chat/completions -H "Content-Type: application/json" -d '{{"model": "gpt-demo", "stream": true, "messages": {message}}}'

Ctrl-C ends everything.""", flush=True)  # fmt: skip

"""An emulated LLM server: answers as Ollama, as an OpenAI-compatible server, or as both, with a fixed text and no GPU.

    python -m orchestrator.demo.emulated --speaks ollama --models llama3.2:latest,nomic-embed:latest --port 0

prints its URL on the first line and serves until SIGTERM. Tests build the same server in-process with `build(Profile(...))`.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from hmac import compare_digest

from aiohttp import web
from aiohttp.typedefs import Handler

from orchestrator.demo import emulated_ollama, emulated_openai
from orchestrator.demo.speech import Profile, Speaker

MAX_BODY_BYTES = 64 * 1024 * 1024
FAMILIES = {"ollama": ("ollama",), "openai": ("openai",), "both": ("ollama", "openai")}


def build(profile: Profile) -> web.Application:
    """The server as an aiohttp application. Its state (which models are loaded) begins empty."""
    speaker = Speaker(profile)
    app = web.Application(middlewares=[_unknown_paths_as_go_says, _demands_key(profile.key)], client_max_size=MAX_BODY_BYTES)
    if "ollama" in FAMILIES[profile.speaks]:
        app.add_routes(emulated_ollama.routes(speaker))
    if "openai" in FAMILIES[profile.speaks]:
        app.add_routes(emulated_openai.routes(speaker))
    return app


@web.middleware
async def _unknown_paths_as_go_says(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return web.Response(status=404, text="404 page not found")
    except web.HTTPMethodNotAllowed as error:
        return web.Response(status=405, text="405 method not allowed", headers={"Allow": ", ".join(sorted(error.allowed_methods))})


def _demands_key(key: str) -> web.middleware:  # type: ignore[valid-type]
    """401 in OpenAI's shape for whoever does not show the key; an empty key lets everybody in."""
    expected = f"Bearer {key}".encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if key and not compare_digest(request.headers.get("Authorization", "").encode(), expected):
            return emulated_openai.error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
        return await handler(request)

    return check


def _parse(argv: Sequence[str] | None) -> tuple[Profile, int]:
    parser = argparse.ArgumentParser(prog="orchestrator.demo.emulated", description="An emulated LLM server on 127.0.0.1 that says a fixed text.")
    parser.add_argument("--speaks", choices=sorted(FAMILIES), default="both", help="the protocols it answers in")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--models", default="llama3.2:latest", help="comma list of models; a name with 'embed' in it makes embeddings")
    parser.add_argument("--key-env", default="", metavar="NAME", help="environment variable that holds the key it demands")
    parser.add_argument("--first-token-seconds", type=float, default=0.05, help="time until the first token")
    parser.add_argument("--token-seconds", type=float, default=0.02, help="time between two tokens")
    parser.add_argument("--slow-model", default="", metavar="NAME", help="a model whose first token takes --slow-seconds")
    parser.add_argument("--slow-seconds", type=float, default=1.0)
    args = parser.parse_args(argv)
    if args.key_env and not os.environ.get(args.key_env):
        parser.error(f"the environment variable {args.key_env} is not set")
    profile = Profile(
        speaks=args.speaks,
        models=tuple(name.strip() for name in args.models.split(",") if name.strip()),
        key=os.environ.get(args.key_env, "") if args.key_env else "",
        first_token_seconds=args.first_token_seconds,
        token_seconds=args.token_seconds,
        slow_model=args.slow_model,
        slow_seconds=args.slow_seconds,
    )
    return profile, args.port


async def _serve(profile: Profile, port: int) -> None:
    runner = web.AppRunner(build(profile), access_log=None, handle_signals=True, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    profile, port = _parse(argv)
    try:
        asyncio.run(_serve(profile, port))
    except (KeyboardInterrupt, web.GracefulExit):
        return 0
    except OSError as error:
        print(f"cannot listen on 127.0.0.1:{port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A Python server on loopback, for tests: MAKER picks the package, PORT the port, STATELESS=1 the mode."""

import gc
import os

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.routing import Route

STATELESS = os.environ.get("STATELESS") == "1"


def open_sessions(request) -> PlainTextResponse:
    """The managers keep their sessions to themselves, so they are found among all objects."""
    managers = [one for one in gc.get_objects() if type(one).__name__ == "StreamableHTTPSessionManager"]
    return PlainTextResponse(str(sum(len(one._server_instances) for one in managers)))


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def build():
    if os.environ["MAKER"] == "mcp":
        from mcp.server.mcpserver import MCPServer

        server = MCPServer("maker")
        server.tool()(add)
        return server.streamable_http_app(streamable_http_path="/mcp", stateless_http=STATELESS)
    from fastmcp import FastMCP

    server = FastMCP("maker")
    server.tool()(add)
    if os.environ["MAKER"] == "fastmcp-2.5.1":
        server.settings.stateless_http = STATELESS
        return server.http_app(path="/mcp", transport="streamable-http")
    return server.http_app(path="/mcp", transport="http", stateless_http=STATELESS)


app = build()
app.router.routes.append(Route("/sessions", open_sessions))
uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")

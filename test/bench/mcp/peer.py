"""The peer that this project replaces: FastMCP 2.5.1 with the tools from TOOLS, which all give the result from RESULT."""

import inspect
import json
import os
import socket
from typing import Any

import uvicorn
from fastmcp import FastMCP

with open(os.environ["TOOLS"]) as file:
    tools = json.load(file)
with open(os.environ["RESULT"]) as file:
    text = json.load(file)["content"][0]["text"]

TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}


def argument(name: str, schema: dict, required: bool) -> inspect.Parameter:
    kind = TYPES.get(schema.get("type"), Any)
    default = inspect.Parameter.empty if required else schema.get("default")
    annotation = kind if required else kind | None if kind is not Any else Any
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def function_of(tool: dict):
    schema = tool["inputSchema"]
    required = set(schema.get("required", []))
    names = sorted(schema["properties"], key=lambda name: name not in required)
    parameters = [argument(name, schema["properties"][name], name in required) for name in names]

    async def run(**_given) -> str:
        return text

    run.__name__ = tool["name"]
    run.__signature__ = inspect.Signature(parameters, return_annotation=str)
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": str}
    return run


server = FastMCP("peer")
server.settings.stateless_http = os.environ["STATELESS"] == "1"
for tool in tools:
    server.add_tool(function_of(tool), name=tool["name"], description=tool["description"])
app = server.http_app(path="/mcp/v1", transport="streamable-http")

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])

"""A stand-in for the original Python MCP server, on the original versions.

FastMCP 2.5.1 (mcp 1.9.1) mounted in a FastAPI application: MCP with sessions on
/mcp/v1, and a plain /health that knows nothing of MCP. Its session manager can
die at run time while /health stays green, which is what the operator is for.
"""

import os
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from fastmcp import FastMCP

mcp = FastMCP(name="kling-original", instructions="Tools that stand in for the original Kling MCP server.")


@mcp.tool()
def echo(text: str = "hello") -> str:
    """Return the text that was sent."""
    return text


@mcp.tool()
def add(a: int = 1, b: int = 2) -> int:
    """Return the sum of two numbers."""
    return a + b


mcp_app = mcp.http_app(path="/v1", transport="streamable-http")


@asynccontextmanager
async def lifespan(app: FastAPI):
    # A mounted application's own lifespan never runs, so the host enters it;
    # without this line the session manager is dead from the start.
    async with mcp_app.lifespan(app):
        yield


app = FastAPI(title="kling-original", lifespan=lifespan)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


app.mount("/mcp", mcp_app)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host=os.environ.get("HOST", "0.0.0.0"),
        port=int(os.environ.get("PORT", "5510")),
        log_level="info",
    )

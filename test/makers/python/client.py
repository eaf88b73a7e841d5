"""A Python client of the newest mcp: argv is the address, then a mode for each connection. Prints what it saw as JSON."""

import asyncio
import json
import sys

from mcp import Client


async def look(url: str, mode: str) -> dict:
    async with Client(url, mode=mode) as client:
        tools = await client.list_tools()
        config = await client.read_resource("kling://config")
        prompt = await client.get_prompt("make_picture", {"description": "a cat", "language": "zh"})
        made = await client.call_tool("create_text_to_image_tool", {"prompt": "a cat"})
        return {
            "mode": mode,
            "tools": [tool.name for tool in tools.tools],
            "service": json.loads(config.contents[0].text)["service"],
            "prompt": prompt.messages[0].content.text,
            "failed": made.is_error,
            "answer": made.content[0].text,
        }


async def main() -> None:
    url, *modes = sys.argv[1:]
    print(json.dumps([await look(url, mode) for mode in modes]))


asyncio.run(main())

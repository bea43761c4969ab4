#!/usr/bin/env python3
"""Calls an MCP server's tools with the protocol's official client, and prints what came of it.

usage: client.py CALLS [--token TOKEN] (URL | COMMAND...)

CALLS is a JSON list of [name, arguments]; they are made at once. The output is a JSON object: the
protocol's version, the server, its tools, and for each call the text and whether it is an error's.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError


async def call(client: Client, name: str, arguments: dict) -> dict:
    try:
        result = await client.call_tool(name, arguments)
    except MCPError as error:
        return {"refused": str(error)}
    text = "\n".join(block.text for block in result.content)
    return {"text": text, "is_error": bool(result.is_error)}


async def main() -> None:
    calls, *rest = sys.argv[1:]
    headers = {}
    if rest[0] == "--token":
        headers["Authorization"] = f"Bearer {rest[1]}"
        rest = rest[2:]
    if rest[0].startswith("http"):
        http = httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False)
        server = streamable_http_client(rest[0], http_client=http)
    else:
        server = StdioServerParameters(command=rest[0], args=rest[1:])
    async with Client(server, read_timeout_seconds=60) as client:
        listed = await client.list_tools()
        results = await asyncio.gather(*(call(client, *each) for each in json.loads(calls)))
        told = {
            "protocol": client.protocol_version,
            "server": client.server_info and client.server_info.name,
            "tools": {tool.name: tool.input_schema for tool in listed.tools},
            "results": results,
        }
    print(json.dumps(told))


asyncio.run(main())

"""A small MCP server over stdio that does what it is told by a file, the wrong things above all, and logs what it got.

Started as a command, with the path of the file of its `Orders` and that of its log. It needs nothing but Python.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
TOOLS: list[dict[str, Any]] = [
    {"name": "double", "description": "Double a number.", "inputSchema": NUMBER},
    {"name": "give.points", "description": "Give a customer points.", "inputSchema": NUMBER},
]


def send(message: dict[str, Any]) -> None:
    """Write a message for the client."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    sys.stdout.flush()


def main(orders: Path, log: Path) -> None:
    """Serve until the input ends."""
    waiting: dict[str, Any] = {}

    def note(**what: Any) -> None:
        with log.open("a") as file:
            file.write(json.dumps(what) + "\n")

    note(started=dict(os.environ), pid=os.getpid())
    for line in sys.stdin:
        message = json.loads(line)
        do = json.loads(orders.read_text())
        method, mark = message.get("method"), message.get("id")
        if method == "initialize":
            if do.get("start") == "hang":
                continue
            version = message["params"]["protocolVersion"]
            note(capabilities=message["params"]["capabilities"])
            info = {"name": "hostile", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            send({"id": mark, "result": result})
        elif method == "tools/list":
            if do.get("list") == "hang":
                continue
            send({"id": mark, "result": {"tools": do.get("tools", TOOLS)}})
        elif method == "tools/call":
            note(call=message["params"]["name"], arguments=message["params"].get("arguments"))
            answer(do, mark, message["params"], waiting, note)
        elif method is None and mark in waiting:
            note(answered=message.get("result", message.get("error")))
            send({"id": waiting.pop(mark), "result": {"content": [{"type": "text", "text": "asked"}]}})
        elif mark is not None:
            send({"id": mark, "error": {"code": -32601, "message": f"no {method}"}})


def answer(do: dict[str, Any], mark: Any, called: dict[str, Any], waiting: dict[str, Any], note: Any) -> None:
    """Answer a call as the orders say."""
    what = do.get("call", "answer")
    if what == "die":
        os._exit(3)
    elif what == "hang":
        return
    elif what == "slow":
        threading.Timer(do["seconds"], answer, ({}, mark, called, waiting, note)).start()
    elif what == "garbage":
        sys.stdout.write("no JSON at all\n")
        send({"id": mark, "result": {"content": "not a list"}})
    elif what == "refuse":
        send({"id": mark, "error": {"code": -32602, "message": "number is out of range"}})
    elif what == "fail":
        send({"id": mark, "error": {"code": -32603, "message": "internal error"}})
    elif what in ("sampling/createMessage", "elicitation/create"):
        waiting["ask"] = mark
        send({"id": "ask", "method": what, "params": do["params"]})
    else:
        text = (
            "x" * do["length"]
            if "length" in do
            else do.get("text", str(2 * called.get("arguments", {}).get("number", 0)))
        )
        send({"id": mark, "result": {"content": [{"type": "text", "text": text}], "isError": what == "is_error"}})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""The application's other WebSockets: they say what they were asked with, then echo."""

import json

from application.gate import call, gate


async def echo(scope, receive, send):
    seen = call("socket", scope)
    gate.tell(seen)
    await receive()
    if scope["path"].startswith("/ws/private/"):
        await send({"type": "websocket.close", "code": 4403})
        return
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    await send({"type": "websocket.send", "text": json.dumps({"target": seen["target"], "headers": seen["headers"]})})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            gate.tell({"event": "socket-closed", "code": message["code"], "reason": message.get("reason")})
            return
        text, data = message.get("text"), message.get("bytes")
        if text and text.startswith("close "):
            _, code, reason = text.split(" ", 2)
            await send({"type": "websocket.close", "code": int(code), "reason": reason})
        elif text is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": data})


async def intake(scope, receive, send):
    """Takes a body part by part and tells the test how much of it is here: shows that nobody on the way waits for its end."""
    gate.tell(call("intake", scope))
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
        gate.tell({"event": "received", "length": length})
    body = json.dumps({"length": length}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})

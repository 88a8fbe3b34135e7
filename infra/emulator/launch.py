"""Starts the AWS emulator for `cargo xtask local` and `cargo xtask test`.

The emulator (ministack) is used as it comes but for four things, each where it differs from AWS in a way that matters here:

1. Its runtime API answers functions with Nagle's delay on, which costs 40 ms a call.
2. Schedules are swept every ten seconds; once a second is close enough to AWS.
3. A FIFO queue feeds its function one batch at a time. AWS runs the message groups side by side, in order within each; with
   batches of one message that is what lifting the limit gives.
4. The HTTP API gets a port of its own, so that plain clients and pages with absolute links can use it as they would on AWS:
   http://127.0.0.1:<api port>/v1/... instead of http://127.0.0.1:<port>/_aws/execute-api/<id>/$default/v1/...

It also counts what functions ask of AWS, by operation, with DynamoDB's write units: GET /_hhp/counts, for `cargo xtask bench`.

Ports come from the environment: GATEWAY_PORT for AWS, HTTP_API_PORT for the HTTP API.
"""

import collections
import json
import os
import socketserver

import hypercorn.asyncio
from ministack import app
from ministack.services import apigateway, lambda_svc, scheduler

HTTP_API_PORT = int(os.environ["HTTP_API_PORT"])
# How many lanes and sites may run at once; enough to see one tenant's slowness not touch another, mild on a small machine.
FIFO_CONCURRENCY = 8


def quick_answers():
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def prompt_schedules():
    scheduler._SCHEDULE_TICK_INTERVAL = 1


def parallel_message_groups():
    as_shipped = lambda_svc._sqs_esm_concurrency

    def concurrency(esm, func_rec, config, queue=None):
        if (queue or {}).get("is_fifo") and esm.get("BatchSize") == 1:
            return FIFO_CONCURRENCY
        return as_shipped(esm, func_rec, config, queue)

    lambda_svc._sqs_esm_concurrency = concurrency


COUNTS = collections.Counter()


def item_bytes(attributes):
    """An item's size as DynamoDB bills it: names and values in UTF-8, three bytes a list or map, one per element."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in attributes.items())


def value_bytes(value):
    (kind, held), = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return len(held) // 2 + 1
    if kind == "M":
        return 3 + item_bytes(held) + len(held)
    if kind == "L":
        return 3 + sum(map(value_bytes, held)) + len(held)
    return 1


def write_units(item):
    """One per begun KB; an item that stands in the index costs its keys there too."""
    return -(-item_bytes(item) // 1024) + ("due_shard" in item)


def count(target, body):
    operation = target.rsplit(".", 1)[-1]
    COUNTS[operation] += 1
    if operation == "PutItem":
        COUNTS["write_units"] += write_units(json.loads(body)["Item"])
    elif operation == "BatchWriteItem":
        for writes in json.loads(body)["RequestItems"].values():
            COUNTS["write_units"] += sum(write_units(write["PutRequest"]["Item"]) for write in writes)
    elif operation in ("DeleteItem", "UpdateItem"):
        COUNTS["write_units"] += 1


def counting(application):
    async def counted(scope, receive, send):
        if scope["type"] != "http":
            return await application(scope, receive, send)
        if scope["path"] == "/_hhp/counts":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
            return await send({"type": "http.response.body", "body": json.dumps(COUNTS).encode()})
        target = dict(scope["headers"]).get(b"x-amz-target", b"").decode()
        if not target:
            return await application(scope, receive, send)
        parts = []

        async def heard():
            message = await receive()
            parts.append(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body"):
                count(target, b"".join(parts))
            return message

        await application(scope, heard, send)

    return counted


def http_api_on_its_own_port():
    as_shipped, serve = app.app, hypercorn.asyncio.serve

    async def front(scope, receive, send):
        if scope["type"] == "http" and scope["server"][1] == HTTP_API_PORT:
            api_id = next((key[2] for key, _ in apigateway._apis.all_items()), "none-deployed")
            prefix = f"/_aws/execute-api/{api_id}/$default"
            scope = dict(scope, path=prefix + scope["path"], raw_path=prefix.encode() + scope["raw_path"])
        await as_shipped(scope, receive, send)

    async def serve_both(application, config):
        config.bind.append(f"127.0.0.1:{HTTP_API_PORT}")
        await serve(application, config)

    app.app, hypercorn.asyncio.serve = counting(front), serve_both


if __name__ == "__main__":
    quick_answers()
    prompt_schedules()
    parallel_message_groups()
    http_api_on_its_own_port()
    app.main()

"""Counts what the functions ask of AWS and what they cost there, for `cargo xtask bench`: GET /_hhp/counts.

Requests by operation; DynamoDB's write and read units and the bytes it keeps; invocations, milliseconds and log bytes by function.
"""

import collections
import json
import threading
import time

COUNTS = collections.Counter()
# The function's name without the stack's, as in `invocations:edge-ingest`.
STACK_PREFIX = "hardhat-pulse-"
# What DynamoDB bills for an item beside its attributes.
ITEM_OVERHEAD = 100
# What CloudWatch bills for a line beside its text.
LINE_OVERHEAD = 26
READS = ("GetItem", "BatchGetItem", "Query")

_kept = {}
_metrics = set()
_lock = threading.Lock()


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


def read_units(size, consistent):
    """One per begun 4 KB, half of it where a read may be stale."""
    return max(1, -(-size // 4096)) * (1 if consistent else 0.5)


def place(table, item):
    return table, item["pk"]["S"], item["sk"]["S"]


def keep(table, item):
    size = item_bytes(item) + ITEM_OVERHEAD
    COUNTS["kept_bytes"] += size - _kept.get(place(table, item), 0)
    _kept[place(table, item)] = size


def count_request(operation, body):
    COUNTS[operation] += 1
    if operation == "PutItem":
        COUNTS["write_units"] += write_units(body["Item"])
        keep(body["TableName"], body["Item"])
    elif operation == "BatchWriteItem":
        for table, writes in body["RequestItems"].items():
            for write in writes:
                COUNTS["write_units"] += write_units(write["PutRequest"]["Item"])
                keep(table, write["PutRequest"]["Item"])
    elif operation == "DeleteItem":
        COUNTS["write_units"] += 1
        COUNTS["kept_bytes"] -= _kept.pop(place(body["TableName"], body["Key"]), 0)
    elif operation == "UpdateItem":
        COUNTS["write_units"] += 1


def count_answer(operation, asked, answer):
    if operation == "GetItem":
        COUNTS["read_units"] += read_units(item_bytes(answer.get("Item", {})), asked.get("ConsistentRead"))
    elif operation == "Query":
        size = sum(map(item_bytes, answer.get("Items", [])))
        COUNTS["read_units"] += read_units(size, asked.get("ConsistentRead"))
    elif operation == "BatchGetItem":
        for table, wanted in asked["RequestItems"].items():
            found = answer.get("Responses", {}).get(table, [])
            consistent = wanted.get("ConsistentRead")
            COUNTS["read_units"] += sum(read_units(item_bytes(item), consistent) for item in found)
            # A key at which nothing stands costs a unit too.
            COUNTS["read_units"] += (len(wanted["Keys"]) - len(found)) * read_units(0, consistent)


def counting(application):
    async def counted(scope, receive, send):
        if scope["type"] != "http":
            return await application(scope, receive, send)
        if scope["path"] == "/_hhp/counts":
            with _lock:
                body = json.dumps(COUNTS).encode()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
            return await send({"type": "http.response.body", "body": body})
        operation = dict(scope["headers"]).get(b"x-amz-target", b"").decode().rsplit(".", 1)[-1]
        if not operation:
            return await application(scope, receive, send)
        asked, answered, status = [], [], 0

        async def heard():
            message = await receive()
            asked.append(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body"):
                with _lock:
                    count_request(operation, json.loads(b"".join(asked) or b"{}"))
            return message

        async def said(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif operation in READS and status == 200:
                answered.append(message.get("body", b""))
                if not message.get("more_body"):
                    with _lock:
                        count_answer(operation, json.loads(b"".join(asked)), json.loads(b"".join(answered)))
            await send(message)

        await application(scope, heard, said)

    return counted


def note_metrics(line):
    """Names of our own metrics, as CloudWatch would find them in the log."""
    if '"_aws"' not in line:
        return
    for group in json.loads(line)["_aws"]["CloudWatchMetrics"]:
        said = json.loads(line)
        for dimensions in group["Dimensions"]:
            of = tuple((name, said[name]) for name in dimensions)
            _metrics.update((group["Namespace"], metric["Name"], of) for metric in group["Metrics"])
    COUNTS["metrics"] = len(_metrics)


def count_invocations(lambda_svc):
    dispatch, emit_logs = lambda_svc._execute_function_dispatch, lambda_svc._emit_lambda_logs

    def counted(func, config, event, request_id, started):
        since = time.monotonic()
        try:
            return dispatch(func, config, event, request_id, started)
        finally:
            name = config.get("FunctionName", "unknown").removeprefix(STACK_PREFIX)
            with _lock:
                COUNTS[f"invocations:{name}"] += 1
                COUNTS[f"milliseconds:{name}"] += (time.monotonic() - since) * 1000

    def logged(func, request_id, log_text, *rest, **named):
        config = func.get("config") or func
        name = config.get("FunctionName", "unknown").removeprefix(STACK_PREFIX)
        lines = (log_text or "").splitlines()
        with _lock:
            for line in lines:
                note_metrics(line)
            COUNTS[f"log_bytes:{name}"] += sum(len(line.encode()) + LINE_OVERHEAD for line in lines)
        return emit_logs(func, request_id, log_text, *rest, **named)

    lambda_svc._execute_function_dispatch, lambda_svc._emit_lambda_logs = counted, logged

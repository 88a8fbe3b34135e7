"""Starts the AWS emulator for `cargo xtask local` and `cargo xtask test`.

The emulator (ministack) is used as it comes but for five things, each where it differs from AWS in a way that matters here:

1. Its runtime API answers functions with Nagle's delay on, which costs 40 ms a call.
2. Schedules are swept every ten seconds; once a second is close enough to AWS.
3. A FIFO queue feeds its function one batch at a time. AWS runs the message groups side by side, in order within each; with
   batches of one message that is what lifting the limit gives.
4. The HTTP API gets a port of its own, so that plain clients and pages with absolute links can use it as they would on AWS:
   http://127.0.0.1:<api port>/v1/... instead of http://127.0.0.1:<port>/_aws/execute-api/<id>/$default/v1/...
5. A query takes time by the page that it answers with, not by all that its partition holds (ordered.py).

It also counts what functions ask of AWS (counting.py), for `cargo xtask bench`.

From the environment come the ports, GATEWAY_PORT for AWS and HTTP_API_PORT for the HTTP API, and FIFO_CONCURRENCY.
"""

import os
import socketserver

import hypercorn.asyncio
from counting import count_invocations, counting
from ministack import app
from ministack.services import apigateway, lambda_svc, scheduler
from ordered import ordered_partitions

HTTP_API_PORT = int(os.environ["HTTP_API_PORT"])
# How many lanes and sites may run at once: eight are enough to see one tenant's slowness not touch another, and mild on a small machine.
FIFO_CONCURRENCY = int(os.environ["FIFO_CONCURRENCY"])


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
    ordered_partitions()
    count_invocations(lambda_svc)
    http_api_on_its_own_port()
    app.main()

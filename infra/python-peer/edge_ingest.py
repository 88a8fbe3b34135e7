"""POST /v1/edge/events: verify, validate, pack into the site queue."""

import base64
import hashlib
import hmac
import json
import os
import time
from datetime import datetime, timezone

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, UnauthorizedError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from events import Event
from pydantic import ValidationError

TOLERANCE_SECONDS = 300
SECRET_KEPT_SECONDS = 60

logger = Logger(service="edge-ingest")
metrics = Metrics(namespace="HardHatPulsePeer", service="edge-ingest")
app = APIGatewayHttpResolver()
sqs = boto3.client("sqs")
s3 = boto3.client("s3")


def sender(headers, body):
    """The edge that signed, from its parameter, which Powertools remembers for a minute."""
    try:
        edge = parameters.get_parameter(
            f"{os.environ['EDGE_PARAMETERS']}/{headers['hhp-edge-id']}",
            transform="json", decrypt=True, max_age=SECRET_KEPT_SECONDS)
        message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        stale = abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS
        candidates = headers["webhook-signature"].split(" ")
    except (KeyError, ValueError, parameters.GetParameterError):
        raise UnauthorizedError("The request must name a known edge and be signed with its secret.") from None
    key = base64.b64decode(edge["secret"].removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if stale or not any(hmac.compare_digest(wanted, candidate) for candidate in candidates):
        raise UnauthorizedError("The request must name a known edge and be signed with its secret.")
    origin = {"edge_id": edge["edge_id"], "webhook_id": message_id, "timestamp": int(timestamp), "signature": wanted,
              "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
    return edge, origin


def sort(batch, edge):
    accepted, rejected = [], []
    for index, raw in enumerate(batch):
        try:
            event = Event.model_validate(raw)
            if event.source != f"/edges/{edge['edge_id']}" or event.subject != edge["site_id"]:
                raise ValueError("an edge may speak for itself and its own site only")
            accepted.append(event)
        except ValidationError as error:
            errors = [{"pointer": "/" + "/".join(map(str, e["loc"])), "detail": e["msg"]} for e in error.errors()]
            rejected.append({"index": index, "errors": errors})
        except ValueError as error:
            rejected.append({"index": index, "errors": [{"pointer": "/source", "detail": str(error)}]})
    return accepted, rejected


@app.post("/v1/edge/events")
def take():
    body = app.current_event.decoded_body.encode()
    edge, origin = sender(app.current_event.headers, body)
    try:
        batch = json.loads(body)
    except ValueError:
        raise BadRequestError("The body must be a JSON array of events.") from None
    accepted, rejected = sort(batch, edge)
    if rejected:
        s3.put_object(Bucket=os.environ["BUCKET_NAME"], Key=f"rejected/{origin['webhook_id']}.json", Body=json.dumps(rejected))
    message = {
        "organization_id": edge["organization_id"],
        "site_id": edge["site_id"],
        "origin": origin,
        "received_at": datetime.now(timezone.utc).isoformat(),
        "events": [event.model_dump(mode="json", exclude_none=True, include={"id", "time", "type", "data"}) for event in accepted],
    }
    message_id = hashlib.sha256(f"{edge['edge_id']}\n{origin['webhook_id']}\n{origin['sha256']}".encode()).hexdigest()
    sqs.send_message(QueueUrl=os.environ["SITE_QUEUE_URL"], MessageGroupId=edge["site_id"],
                     MessageDeduplicationId=message_id, MessageBody=json.dumps(message | {"message_id": message_id}))
    metrics.add_metric(name="EventsAccepted", unit=MetricUnit.Count, value=len(accepted))
    metrics.add_metric(name="EventsRejected", unit=MetricUnit.Count, value=len(rejected))
    logger.info("events taken", site_id=edge["site_id"], edge_id=edge["edge_id"], webhook_id=origin["webhook_id"],
                accepted=len(accepted), rejected=len(rejected))
    return Response(status_code=202, content_type=content_types.APPLICATION_JSON,
                    body=json.dumps({"accepted": len(accepted), "rejected": rejected}))


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@metrics.log_metrics
def handler(event, context):
    return app.resolve(event, context)

"""One message of the site queue: keep what is new, then commit with the arrival entry."""

import json
import os
import time
from decimal import Decimal

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from boto3.dynamodb.conditions import Key

RETENTION_SECONDS = 400 * 86_400

logger = Logger(service="event-router")
metrics = Metrics(namespace="HardHatPulsePeer", service="event-router")
processor = SqsFifoPartialProcessor()
dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table(os.environ["TABLE_NAME"])


def last_arrival(log_pk):
    found = table.query(KeyConditionExpression=Key("pk").eq(log_pk), ScanIndexForward=False, Limit=1, ConsistentRead=True)
    return next(iter(found["Items"]), None)


def known_ids(site_pk, ids):
    """Which detections are kept already; what is kept is compared, since the first content stands."""
    keys = [{"pk": site_pk, "sk": f"DET#{detection_id}"} for detection_id in ids]
    known, wanted = {}, {table.name: {"Keys": keys, "ConsistentRead": True}}
    while wanted:
        answer = dynamodb.batch_get_item(RequestItems=wanted)
        known |= {item["sk"]: item for item in answer["Responses"].get(table.name, [])}
        wanted = answer.get("UnprocessedKeys")
    return known


def keep(record):
    message = json.loads(record.body, parse_float=Decimal)
    site_pk = f"PEER#ORG#{message['organization_id']}#SITE#{message['site_id']}"
    log_pk = f"{site_pk}#LOG"
    last = last_arrival(log_pk)
    if last and last["message_id"] == message["message_id"]:
        return
    number = int(last["number"]) + 1 if last else 1
    events = {f"DET#{event['data']['detection_id']}": event for event in message["events"]}
    known = known_ids(site_pk, [event["data"]["detection_id"] for event in events.values()])
    new = {sk: event for sk, event in events.items()
           if sk not in known or (known[sk]["arrival"] > number - 1 and known[sk]["body"] == event["data"])}
    with table.batch_writer() as batch:
        for sk, event in new.items():
            batch.put_item(Item={
                "pk": site_pk, "sk": sk, "body": event["data"], "arrival": number, "event_id": event["id"],
                "event_time": event["time"], "received_at": message["received_at"], "origin": message["origin"],
                "expires_at": int(time.time()) + RETENTION_SECONDS})
    if new:
        lines = [{"f": "detection", "i": data["detection_id"], "t": data["detected_at"], "k": data["kind"],
                  "z": data["zone_id"], "p": data["priority"]} for data in (event["data"] for event in new.values())]
        table.put_item(
            Item={"pk": log_pk, "sk": f"{number:012}", "number": number, "message_id": message["message_id"],
                  "arrived_at": message["received_at"], "lines": lines},
            ConditionExpression="attribute_not_exists(pk)")
    # Which connections take this site's detections; here there are none.
    table.query(KeyConditionExpression=Key("pk").eq(site_pk) & Key("sk").begins_with("ROUTE#"), ConsistentRead=True)
    metrics.add_metric(name="FactsKept", unit=MetricUnit.Count, value=len(new))
    metrics.add_metric(name="FactsDuplicate", unit=MetricUnit.Count, value=len(events) - len(new))
    logger.info("kept facts", site_id=message["site_id"], edge_id=message["origin"]["edge_id"],
                correlation_id=message["origin"]["webhook_id"], changed=len(new))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event, context):
    return process_partial_response(event=event, record_handler=keep, processor=processor, context=context)

"""Checks that a message comes from HardHat Pulse: Standard Webhooks, with the standard library alone."""

import base64
import hashlib
import hmac

TOLERANCE_SECONDS = 5 * 60


class NotOurs(Exception):
    """The message is not signed with the secret, or is too old to be taken."""


def verify(secrets, headers, body, now):
    """`secrets`: one, or two while a secret is rotated. `body`: the bytes as they came, before anything is read from them."""
    message_id = headers.get("webhook-id") or ""
    stamp = headers.get("webhook-timestamp") or ""
    if not message_id or not (stamp.isascii() and stamp.isdigit()):
        raise NotOurs("webhook-id and webhook-timestamp are needed")
    if abs(now - int(stamp)) > TOLERANCE_SECONDS:
        raise NotOurs("webhook-timestamp is more than five minutes off: check this machine's clock")
    signed = b".".join([message_id.encode(), stamp.encode(), body])
    wanted = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    for part in (headers.get("webhook-signature") or "").split(" "):
        version, _, given = part.partition(",")
        if version == "v1" and any(_same(given, digest) for digest in wanted):
            return message_id
    raise NotOurs("no webhook-signature fits: is the signing secret the one that was shown when the webhook was made?")


def _key(secret):
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def _same(given, digest):
    try:
        return hmac.compare_digest(base64.b64decode(given, validate=True), digest)
    except ValueError:
        return False

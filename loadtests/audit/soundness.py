"""Whether a reply can be the one to its call: the official schema of its version, and what the call asked for.

A reply that was meant for another call would pass by its message id alone; this looks at what it says.
"""

import functools
import json
from importlib.resources import files

import jsonschema_rs

from loadtests.wording import Payload

_FOLDER_OF_VERSION = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
_TEXT_MAX = 160


def problem_of(version: str, action: str, payload: Payload, reply: Payload) -> str | None:
    """What is wrong with the reply, None: nothing."""
    validator = _validator(version, action)
    if not validator.is_valid(reply):
        error = next(iter(validator.iter_errors(reply)))
        return f"the reply to {action} breaks the schema of OCPP {version}: {error.message[:_TEXT_MAX]}"
    if action == "TransactionEvent" and ("idToken" in payload) != ("idTokenInfo" in reply):
        return (
            "the reply to TransactionEvent speaks of another token than the call (idTokenInfo without idToken or not)"
        )
    if action == "StartTransaction" and reply["transactionId"] <= 0:
        return f"the reply to StartTransaction names no transaction: {reply['transactionId']}"
    return None


@functools.cache
def _validator(version: str, action: str) -> jsonschema_rs.Validator:
    file = files("ocpp") / _FOLDER_OF_VERSION[version] / "schemas" / f"{action}Response.json"
    return jsonschema_rs.validator_for(json.loads(file.read_text(encoding="utf-8-sig")))

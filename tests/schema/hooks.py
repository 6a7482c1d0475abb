"""What schemathesis is told beside its command line."""

import os
import re

import schemathesis

# Set for the pass without a key.
KEYLESS = "WALINKD_SCHEMA_KEYLESS"

# So many digits may not fit into 64 bits; the daemon refuses them at once.
FITS = 19


@schemathesis.hook
def before_call(context, case, kwargs):
    """A wait is judged by how it is spelt: nobody need sit through a minute."""
    wait = (case.query or {}).get("wait")
    if isinstance(wait, str) and re.fullmatch(r"[0-9]+(ms|s|m)?", wait) and len(wait) <= FITS:
        case.query["wait"] = "20ms"


@schemathesis.check
def refused_without_a_key(ctx, response, case):
    """Who has no key learns nothing but that, whatever else is wrong."""
    if KEYLESS not in os.environ or not case.operation.definition.raw.get("security"):
        return
    # Browsers ask with OPTIONS what a page may send, and have no key to show.
    if case.method.upper() == "OPTIONS":
        return
    # A method that the path does not know is told without a key too.
    expected = 403 if case.method.upper() == case.operation.method.upper() else 405
    if response.status_code != expected:
        raise AssertionError(f"{response.status_code} without a key, and not {expected}")

"""What a release knew: the ledger up to the last landing call before it was described."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from huaxiang.landing.ledger import LedgerRow, inputs_of
from huaxiang.release.manifest import inputs_hash
from huaxiang.release.store import Release


def up_to(ledger: Iterable[LedgerRow], call_number: int) -> list[LedgerRow]:
    """The ledger as it stood after that call."""
    return [row for row in ledger if row.call_number <= call_number]


def last_call(release: Release, ledger: Sequence[LedgerRow]) -> int | None:
    """The last landing call the release knew; None when neither manifest nor ledger can tell.

    Manifests from before `inputs.ledger_call` hold the hash of the inputs: the first call after which it is the same.
    """
    inputs = release.manifest["inputs"]
    if "ledger_call" in inputs:
        return int(inputs["ledger_call"])
    known = [row for row in ledger if row.load_date <= release.known_at]
    for call in sorted({row.call_number for row in known}):
        if inputs_hash(inputs_of(up_to(known, call))) == inputs["sha256"]:
            return call
    return None

"""The kinds of faults: one line each, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from faults.trial import Trial


@dataclass(frozen=True)
class Options:
    """What a kind may need: a folder of its own, which is removed afterwards, the seed, and how many random trials."""

    folder: Path
    seed: int = 1
    kills: int = 100
    permutations: int = 200


Kind = Callable[[Options], Iterator[Trial]]

# name: the module and its function(options: Options) -> Iterator[Trial]
KINDS = {
    "kills": "faults.kills:random_kills",
    "trainings": "faults.kills:training_kills",
    "failpoints": "faults.kills:failpoint_kills",
    "writes": "faults.writes:failing_writes",
    "disk": "faults.writes:full_disk",
    "races": "faults.races:races",
    "publishes": "faults.races:publishes",
    "permutations": "faults.permutations:permutations",
    "handovers": "faults.handovers:handovers",
    "database": "faults.services:locked_database",
    "services": "faults.services:killed_services",
    "workers": "faults.spark_workers:spark_workers",
    "inputs": "faults.inputs:bad_inputs",
    "mutations": "faults.mutations:mutations",
    "days": "faults.ninety_days:ninety_days",
    "full": "faults.full_size:full_size",
}


def kind(name: str) -> Kind:
    module, _, function = KINDS[name].partition(":")
    found: Kind = getattr(import_module(module), function)
    return found

"""The rules of a training as a model: what the file holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_jobs.associations.rules import Rule


@dataclass(frozen=True)
class AssociationModel:
    """The rules of a training. `tests` is how many rules were tested; `report` holds figures, never a customer."""

    training_as_of: str
    fingerprint: str
    tests: int
    rules: tuple[Rule, ...]
    figures: tuple[Mapping[str, float], ...]  # of each rule, as mined
    report: Mapping[str, Any]

    def to_json(self) -> str:
        """The model file: indented, the same bytes for the same model."""
        said = {
            "training_as_of": self.training_as_of,
            "fingerprint": self.fingerprint,
            "tests": self.tests,
            "rules": [
                {"antecedent": list(rule.antecedent), "consequent": rule.consequent, **figures}
                for rule, figures in zip(self.rules, self.figures, strict=True)
            ],
            "report": self.report,
        }
        return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> AssociationModel:
    said = json.loads(text)
    rows = said["rules"]
    return AssociationModel(
        training_as_of=said["training_as_of"],
        fingerprint=said["fingerprint"],
        tests=said["tests"],
        rules=tuple(Rule(tuple(row["antecedent"]), row["consequent"]) for row in rows),
        figures=tuple({name: row[name] for name in ("support", "confidence", "lift")} for row in rows),
        report=said["report"],
    )

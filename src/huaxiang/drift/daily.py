"""Compare the day with the day from which its models score, and keep what a later day needs to compare again.

`<build>/drift/drift.json` holds for every feature, score and dimension its bands, their shares on the reference day and
today, and the index. The reference travels from release to release as long as the same models score; the first day on
which other ones do is their reference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.drift import bands, stability
from huaxiang.files import write_text
from huaxiang.release.store import latest_before
from huaxiang.settings import Run, Settings
from huaxiang.steps import step

if TYPE_CHECKING:
    import duckdb

FILE = "drift/drift.json"
FEATURE, SCORE, DIMENSION = "feature", "score", "dimension"
# They grow with the time that a home has watched its customers, or say again coarsely what stands beside them.
_GROWING = ("tenure_days", "order_count", "line_count", "net_spend", "category_count")
_COARSE = ("preferred_weekday", "preferred_hour", "recency_quintile", "frequency_quintile", "monetary_quintile")
_NUMBERS = ("DECIMAL", "BIGINT", "INTEGER", "DOUBLE", "FLOAT")
READERS = ("segments", "scores")  # the families whose models read the day's features


@dataclass(frozen=True)
class Drift:
    """How far one feature, score or dimension of the vectors has moved: `psi` between `reference` and `today`, shares
    of the same bands.

    `models` is the fingerprint of the models that were in use on `reference_on` and still are.
    """

    kind: str
    name: str
    reference_on: str
    models: str
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    today: tuple[float, ...]

    @property
    def psi(self) -> float:
        return stability.index(self.reference, self.today)

    @property
    def since(self) -> date:
        return date.fromisoformat(self.reference_on)

    @property
    def status(self) -> str:
        return stability.status(self.psi)


def measure(settings: Settings, run: Run) -> None:
    """Write `drift.json` of the build. A build without features of customers has none, and none is written."""
    import duckdb

    build = settings.home.build(run.id)
    with step("drift", run, settings) as log, duckdb.connect() as connection:
        before = latest_before(settings, run.as_of)
        known = {(one.kind, one.name): one for one in (read(before) if before else ())}
        found = [
            drift
            for kind, view, models, names in _watched(connection, build)
            for drift in _compared(connection, run, kind, view, models, names, known)
        ]
        log.fact("watched", len(found))
        log.fact("moved", sum(one.status == "moved" for one in found))
        if found:
            said = [asdict(one) | {"psi": one.psi, "status": one.status} for one in found]
            write_text(build / FILE, json.dumps({"as_of": str(run.as_of), "drift": said}, indent=1) + "\n")


def read(folder: Path) -> tuple[Drift, ...]:
    """What a build or release says; empty where it says nothing."""
    path = folder / FILE
    if not path.exists():
        return ()
    told = json.loads(path.read_text(encoding="utf-8"))["drift"]
    return tuple(Drift(**{name: _kept(one[name]) for name in Drift.__dataclass_fields__}) for one in told)


def _watched(connection: duckdb.DuckDBPyConnection, build: Path) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Kind, view, fingerprint of the models behind it, and name by column of the view."""
    cards = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(build.glob("*/model*.json"))}
    features = build / "features" / "customer_features.parquet"
    if features.exists():
        view = connection.read_parquet(str(features))
        view.create_view("features")
        kinds = zip(view.columns, map(str, view.types), strict=True)
        names = [name for name, kind in kinds if kind.startswith(_NUMBERS) and name not in (*_GROWING, *_COARSE)]
        readers = [said["fingerprint"] for path, said in cards.items() if path.parent.name in READERS]
        yield FEATURE, "features", _one(readers), {name: name for name in names}
    scores = build / "scores" / "customer_scores.parquet"
    if scores.exists():
        connection.read_parquet(str(scores)).create_view("scores")
        for path, said in cards.items():
            if path.parent.name == "scores":
                view_name = f"score_{said['model']}"
                connection.execute(f"create view {view_name} as from scores where target = '{said['model']}'")
                yield SCORE, view_name, said["fingerprint"], {"probability": said["model"]}
    vectors = build / "vectors" / "customer_vectors.parquet"
    if vectors.exists():
        connection.read_parquet(str(vectors)).create_view("places")
        connection.execute(
            "create table vectors as pivot places on dimension using any_value(value) group by customer_id"
        )
        numbers = sorted(connection.table("vectors").columns[1:], key=int)
        fingerprint = cards[build / "vectors" / "model.json"]["fingerprint"]
        yield DIMENSION, "vectors", fingerprint, {number: f"dimension {number} of the vectors" for number in numbers}


def _compared(
    connection: duckdb.DuckDBPyConnection,
    run: Run,
    kind: str,
    view: str,
    models: str,
    names: dict[str, str],
    known: dict[tuple[str, str], Drift],
) -> Iterator[Drift]:
    then = {
        column: known[kind, name]
        for column, name in names.items()
        if (kind, name) in known and known[kind, name].models == models
    }
    fresh = bands.edges(connection, view, [column for column in names if column not in then])
    edges = {column: list(then[column].edges) if column in then else fresh[column] for column in names}
    today = bands.shares(connection, view, edges)
    for column, name in names.items():
        if column in then:
            yield Drift(**(vars(then[column]) | {"today": today[column]}))
        else:
            ends = tuple(edges[column])
            yield Drift(kind, name, str(run.as_of), models, ends, reference=today[column], today=today[column])


def _one(fingerprints: list[str]) -> str:
    return hashlib.sha256("".join(fingerprints).encode()).hexdigest()[:16] if fingerprints else ""


def _kept(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

"""What MLflow is to take: written down here first, so that no training is lost when MLflow is away or dies meanwhile.

An entry is a sealed folder `<home>/mlflow_spool/<n>/`, of a training or of a release. It is read back by whoever hands
it over (`huaxiang.tracking.handover`), and removed when MLflow has all of it.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from huaxiang.lease import hold_file
from huaxiang.sealed import sealing, verify
from huaxiang.settings import Settings
from huaxiang.tracking.fits import Fit, Training, Version
from huaxiang.tracking.promotion import Decision, Interval, Judging

TRAINING, RELEASE = "training", "release"
_ENTRY, _PLAN, _SET_ASIDE = "entry.json", "plan.json", "set_aside"
_PATIENCE = 600.0


@dataclass(frozen=True)
class Entry:
    """One thing that waits. `key` names it in MLflow, so that it is found there again; `about` tells what it is."""

    folder: Path
    kind: str
    key: str
    about: str

    @property
    def plan_file(self) -> Path:
        """What was decided when the entry began to be handed over; beside the sealed folder, since it comes later."""
        return self.folder.with_name(f"{self.folder.name}.{_PLAN}")


@contextmanager
def turn(settings: Settings) -> Iterator[None]:
    """The turn to write down and to hand over: of two processes that train, one waits for the other.

    SQLite takes one writer at a time, and refuses the second at once when both have read before they write. Raises
    HomeBusy when the other one does not end.
    """
    with hold_file(settings.home.mlflow_spool_lock, "a training that is handed to MLflow", wait_seconds=_PATIENCE):
        yield


def put_training(settings: Settings, training: Training, facts: Mapping[str, Any]) -> Entry:
    """Write a training down. `facts` is what the replay cannot know: the run it was of, its code."""
    about = f"{training.target}, trained up to {training.fits[0].as_of}"
    with _next(settings) as (folder, draft):
        said = {"kind": TRAINING, "key": uuid.uuid4().hex, "about": about, "facts": dict(facts)}
        said["training"] = {
            "judged_by": training.judged_by,
            "decision": asdict(training.decision) if training.decision else None,
            "judging": asdict(training.judging) if training.judging else None,
            "must_replace": training.must_replace,
            "against": asdict(training.against) if training.against else None,
            "columns": sorted(training.columns),
            "left_out": dict(training.left_out),
            "is_held": training.is_held,
            "fits": [_put_fit(fit, draft / "fits" / str(number)) for number, fit in enumerate(training.fits)],
        }
        _write(draft / _ENTRY, said)
    return _entry(folder)


def put_release(settings: Settings, manifest: Mapping[str, Any]) -> Entry:
    """Write a release's manifest down; the same run's again is the same entry, and has the same key."""
    key = f"{manifest['release_id']}-{manifest.get('fence', 0)}"
    waiting = next((entry for entry in entries(settings) if entry.key == key), None)
    if waiting:
        return waiting
    with _next(settings) as (folder, draft):
        about = f"release {manifest['release_id']}"
        _write(draft / _ENTRY, {"kind": RELEASE, "key": key, "about": about, "manifest": dict(manifest)})
    return _entry(folder)


def entries(settings: Settings) -> list[Entry]:
    """All that waits, the oldest first."""
    return [_entry(folder) for folder in _folders(settings)]


def facts(entry: Entry) -> dict[str, Any]:
    """What `put_training` was told. Raises BrokenConservation when the entry is not as it was sealed."""
    verify(entry.folder)
    return dict(_read(entry.folder / _ENTRY)["facts"])


def manifest(entry: Entry) -> dict[str, Any]:
    verify(entry.folder)
    return dict(_read(entry.folder / _ENTRY)["manifest"])


def training(entry: Entry) -> Training:
    """The training as it was written down. Raises BrokenConservation when the entry is not as it was sealed."""
    verify(entry.folder)
    said = _read(entry.folder / _ENTRY)["training"]
    return Training(
        fits=tuple(_fit(one, entry.folder / "fits" / str(number)) for number, one in enumerate(said["fits"])),
        judged_by=said["judged_by"],
        decision=Decision(**said["decision"]) if said["decision"] else None,
        judging=_judging(said["judging"]) if said["judging"] else None,
        must_replace=said["must_replace"],
        against=Version(**said["against"]) if said["against"] else None,
        columns=tuple(said["columns"]),
        left_out=said.get("left_out", {}),
        is_held=said.get("is_held", False),
    )


def remove(entry: Entry) -> None:
    """MLflow has all of it. The folder goes first and in one step: a plan without one means nothing, nor does half of
    one, which `huaxiang.stray` clears up."""
    aside = entry.folder.with_name(f".{entry.folder.name}.removed.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    entry.folder.rename(aside)
    entry.plan_file.unlink(missing_ok=True)
    shutil.rmtree(aside)


def set_aside(settings: Settings, entry: Entry) -> Path:
    """Move what cannot be handed over out of the way of the others, for a person to look at."""
    place = settings.home.mlflow_spool / _SET_ASIDE / entry.folder.name
    place.parent.mkdir(exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    entry.folder.rename(place)
    entry.plan_file.unlink(missing_ok=True)
    return place


@contextmanager
def _next(settings: Settings) -> Iterator[tuple[Path, Path]]:
    """The folder of the next number and a draft to fill, sealed when the body succeeds."""
    spool = settings.home.mlflow_spool
    used = [int(path.name) for path in (*_folders(settings), *(spool / _SET_ASIDE).glob("[0-9]*"))]
    folder = spool / str(max(used, default=0) + 1)
    folder.with_name(f"{folder.name}.{_PLAN}").unlink(missing_ok=True)
    with sealing(folder) as draft:
        yield folder, draft


def _folders(settings: Settings) -> list[Path]:
    found = settings.home.mlflow_spool.glob("[0-9]*")
    return sorted((path for path in found if path.is_dir()), key=lambda path: int(path.name))


def _entry(folder: Path) -> Entry:
    try:
        said = _read(folder / _ENTRY)
        return Entry(folder, said["kind"], said["key"], said["about"])
    except (OSError, ValueError, KeyError, TypeError):  # damaged: whoever opens it is told that it is not as sealed
        return Entry(folder, TRAINING, "", f"entry {folder.name} of the spool")


# A fit as files: texts, numbers and names as JSON, everything else beside it as it is.

_PLAIN = ("target", "algorithm", "description", "fingerprint", "as_of", "recipe", "baseline", "split")


def _put_fit(fit: Fit, folder: Path) -> dict[str, Any]:
    for name, content in fit.model_files.items():
        _put(folder / "files" / name, content if isinstance(content, bytes) else content.encode())
    for name, path in fit.model_folders.items():
        shutil.copytree(path, folder / "folders" / name)
    if fit.model_code:
        _put(folder / "code" / fit.model_code.name, fit.model_code.read_bytes())
    for name, figure in fit.pictures.items():
        _draw(figure, folder / "pictures" / f"{name}.png")
    return {name: getattr(fit, name) for name in _PLAIN} | {
        "parameters": {name: str(value) for name, value in fit.parameters.items()},
        "metrics": {name: float(value) for name, value in fit.metrics.items()},
        "series": {name: [[step, float(value)] for step, value in one.items()] for name, one in fit.series.items()},
        "notes": list(fit.notes),
        "model_files": list(fit.model_files),
        "model_folders": list(fit.model_folders),
        "model_code": fit.model_code.name if fit.model_code else None,
        "signature": fit.signature.to_dict() if fit.signature else None,
        "pip_requirements": list(fit.pip_requirements),
        "tables": dict(fit.tables),
        "pictures": list(fit.pictures),
    }


def _fit(said: dict[str, Any], folder: Path) -> Fit:
    from mlflow.models import ModelSignature

    made = Fit(
        **{name: said[name] for name in _PLAIN},
        parameters=said["parameters"],
        metrics=said["metrics"],
        series={name: {step: value for step, value in one} for name, one in said["series"].items()},
        notes=tuple(said["notes"]),
        model_files={name: (folder / "files" / name).read_bytes() for name in said["model_files"]},
        model_folders={name: folder / "folders" / name for name in said["model_folders"]},
        model_code=folder / "code" / said["model_code"] if said["model_code"] else None,
        signature=ModelSignature.from_dict(said["signature"]) if said["signature"] else None,
        pip_requirements=tuple(said["pip_requirements"]),
        tables=said["tables"],
        pictures={name: folder / "pictures" / f"{name}.png" for name in said["pictures"]},
    )
    assert {field.name for field in fields(Fit)} == {*_PLAIN, *said}, "a field of Fit is not written down"
    return made


def _draw(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(figure, Path):
        shutil.copyfile(figure, path)
    else:
        figure.savefig(path)


def _judging(said: dict[str, Any]) -> Judging:
    differences = {
        one: {other: Interval(**found) for other, found in of_one.items()}
        for one, of_one in said["differences"].items()
    }
    return Judging(said["metric"], differences, said["baseline"])


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write(path: Path, said: object) -> None:
    path.write_text(json.dumps(said, indent=1, default=str) + "\n", encoding="utf-8")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))

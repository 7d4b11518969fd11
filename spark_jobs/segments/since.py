"""Who moved since the release before, written as a table, and what the card says of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs.segments import inputs, moves, outputs
from spark_jobs.segments.model import SegmentModel


def since(settings: Settings, run: Run, model: SegmentModel, log: StepLog) -> dict[str, Any] | None:
    """Write who moved since the release before; what is said of it. None, and no table, where there is no release."""
    build = settings.home.build(run.id)
    path = build / "segments" / "segment_moves.parquet"
    path.unlink(missing_ok=True)
    before = inputs.release_before(settings, run.as_of)
    names = [scaling.name for scaling in model.scalings]
    past = inputs.past(before.path, build, names) if before else None
    if before is None or past is None:
        return None
    is_same_model = past.fingerprints == (model.fingerprint,)
    reasons = _reasons(past, model, names, is_same_model)
    outputs.write_moves(past, reasons, path)
    how = Counter(reason.how for reason in reasons)
    stayed = past.in_both - sum(how.values()) + how[moves.NEW] + how[moves.LEFT]
    log.fact("moved", past.in_both - stayed)
    return {
        "release_id": before.id,
        "as_of": str(before.as_of),
        "is_same_model": is_same_model,
        "customers_in_both": past.in_both,
        "stayed": stayed,
        "stayed_share": round(stayed / past.in_both, 6) if past.in_both else None,
        "how": dict(sorted(how.items())),
        "customers": {str(segment_id): customers for segment_id, customers in past.sizes.items()},
    }


def _reasons(past: inputs.Past, model: SegmentModel, names: list[str], is_same_model: bool) -> list[moves.Reason]:
    """A reason for each row of `past.moved`."""
    moved = past.moved
    is_new, is_gone = moved["from_segment"].isna(), moved["to_segment"].isna()
    both = moved[~is_new & ~is_gone]
    found = iter(
        moves.explain(
            model,
            before=both[[f"before_{name}" for name in names]].to_numpy(dtype=float),
            after=both[[f"after_{name}" for name in names]].to_numpy(dtype=float),
            from_ids=both["from_segment"].to_numpy(dtype="int64"),
            to_ids=both["to_segment"].to_numpy(dtype="int64"),
            is_same_model=is_same_model,
        )
    )
    ends = zip(is_new, is_gone, strict=True)
    return [moves.Reason(moves.NEW) if new else moves.Reason(moves.LEFT) if gone else next(found) for new, gone in ends]

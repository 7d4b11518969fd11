"""Audiences for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from huaxiang.audiences.language import Audience
from huaxiang.audiences.preview import STEP, Preview, Previews
from huaxiang.audiences.words import lines, said
from huaxiang.report import words

_NEAR = 0.02
_CONSENT = "Consent is not asked here: an audience says who, not who may be written to."


def listing(audiences: Sequence[Audience]) -> str:
    """A line for each."""
    width = max((len(one.name) for one in audiences), default=0)
    return "\n".join(f"{one.name:<{width}}  {one.title} ({one.owner}: {one.purpose})" for one in audiences)


def previewed(found: Previews, titles: Mapping[str, str], currency: str) -> str:
    """Sizes and overlaps; of a single audience its conditions as well."""
    rows = list(_sizes(found))
    if len(found.shown) == 1:
        rows += ["", *lines(said(found.shown[0].audience.who, titles, currency))]
    for one in found.shown:
        rows += [f"{one.audience.name}: no event has {value}; is it spelled otherwise?" for value in one.unseen]
    for name, needs in found.left_out.items():
        rows.append(f"{name}: left out, this home has no source for {', '.join(needs)}")
    if found.overlaps:
        rows += ["", "overlaps, closest first: customers in both, and their share of those in either"]
        rows += [
            f"{pair.one} & {pair.other}: {words.count(pair.both)}, {words.percent(pair.jaccard)}"
            for pair in found.overlaps[:20]
        ]
    return "\n".join([*rows, "", _CONSENT])


def _sizes(found: Previews) -> Iterator[str]:
    width = max((len(one.audience.name) for one in found.shown), default=0)
    yield f"of {words.count(found.customers)} customers; beside it what one in {STEP} tells, with its 95 % interval"
    for one in found.shown:
        yield f"{one.audience.name:<{width}}  {_size(one)}"
    tried = [(one, sample) for one in found.shown for sample in one.samples]
    if tried:
        errors = [abs(sample.size - one.size) / found.customers for one, sample in tried]
        near = sum(error <= _NEAR for error in errors)
        covered = sum(sample.lowest <= one.size <= sample.highest for one, sample in tried)
        yield (
            f"all {len(tried)} samples: {near} within {words.percent(_NEAR, 0)} of the customers, the farthest off by"
            f" {words.percent(max(errors))}; {covered} of their intervals hold the size"
        )


def _size(one: Preview) -> str:
    about = one.estimate
    return (
        f"{words.count(one.size):>7}  {words.percent(one.share):>7}  {one.seconds:5.2f} s"
        f"   sample {words.count(about.size)} ({words.count(about.lowest)} to {words.count(about.highest)})"
        f" in {about.seconds:.2f} s"
    )

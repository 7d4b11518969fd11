"""Split by global time: whoever is judged at a cut-off learned only from windows that were over by then.

A random split would deal the days after a cut-off to both sides: the model then learns the season, the price and the
campaign it is judged on. That is refused, not offered (Meng et al., "Exploring Data Splitting Strategies for the
Evaluation of Recommendation Models", 2020, measure what it costs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from huaxiang.errors import HuaxiangError


class LeakySplit(HuaxiangError):
    """Something would be learned from that was not known yet at the day it is judged on."""


class TooFewCutoffs(HuaxiangError):
    """The history does not suffice to learn, to calibrate and to judge."""


@dataclass(frozen=True)
class Plan:
    """Days (numbers since 1970) before each of which is fitted, the last of them judged; the others calibrate."""

    walked: tuple[int, ...]
    judged: tuple[int, ...]
    window_days: int

    def known(self, day: int) -> tuple[int, ...]:
        """The walked days whose window is over at the end of `day`."""
        return tuple(one for one in self.walked if one + self.window_days <= day)


def calibrating(known: Sequence[int], events: Mapping[int, float], fewest: int, enough: float) -> tuple[int, ...]:
    """Of the known days the latest `fewest`, and more as long as they do not hold `enough` events together.

    Old fits learned from less and are too sure of themselves; few events say little of a probability.
    """
    count = next(
        (number for number in range(fewest, len(known)) if sum(events[day] for day in known[-number:]) >= enough),
        len(known),
    )
    return tuple(known[-count:])


def plan(cutoffs: Sequence[int], window_days: int, judged: int, fewest_judged: int, calibrating: int) -> Plan:
    """Which cut-offs are judged: the last `judged` of those that can be, or all there are, if `fewest_judged`.

    A cut-off can be learned for when a window before it is over. It can be judged when, besides, one that is learned
    for is over before it: that one calibrates. So the first judged has the shortest history to learn from; of those
    learned for before it, at most `calibrating` calibrate. Raises TooFewCutoffs.
    """
    days = sorted(cutoffs)
    learned = [day for day in days if any(earlier + window_days <= day for earlier in days)]
    judgeable = [day for day in learned if any(earlier + window_days <= day for earlier in learned)]
    if len(judgeable) < fewest_judged:
        raise TooFewCutoffs(f"{len(judgeable)} of {len(days)} cut-offs can be judged, and {fewest_judged} are needed")
    chosen = judgeable[-judged:]
    before = [day for day in learned if day < chosen[0]]
    # Those whose window is over calibrate the first judged; one that is not over yet calibrates later ones.
    ready = [day for day in before if day + window_days <= chosen[0]]
    first = ready[-calibrating:][0]
    return Plan(tuple(day for day in learned if day >= first), tuple(chosen), window_days)


def require_known(learned: Iterable[int], judged: int, window_days: int) -> None:
    """Raise LeakySplit when a row learned from has a window that is not over at the end of the judged day."""
    late = sorted({int(day) for day in learned if day + window_days > judged})
    if late:
        raise LeakySplit(
            f"a split that is not by time is refused: what is judged at day {judged} would be learned from day "
            f"{late[-1]}, whose window of {window_days} days ends {late[-1] + window_days - judged} days later; learn "
            f"from days up to {judged - window_days} only"
        )

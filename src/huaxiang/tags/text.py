"""What the command line prints of tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from huaxiang.tags.preview import Difference
from huaxiang.tags.tag import TREE, Tag
from huaxiang.tags.versions import Told

_MOST = 20


def listing(tags: Sequence[Tag], users: dict[str, tuple[str, ...]]) -> str:
    """The tree of tags, a line each."""
    lines = []
    for branch in TREE:
        members = sorted(
            (tag for tag in tags if tag.tree.split("/")[0] == branch), key=lambda tag: (tag.tree, tag.name)
        )
        if members:
            lines.append(branch)
        for tag in members:
            state = f", retired on {tag.retired_on}" if tag.retired_on else ""
            used = f"used by {', '.join(users[tag.name])}" if users[tag.name] else "used by nobody"
            lines.append(
                f"  {tag.name:<24} v{tag.version:<3} {tag.kind:<7} {tag.personal_data:<13} {tag.owner}; {used}{state}"
            )
    return "\n".join(lines)


def comparison(found: Difference) -> str:
    """What publishing would change."""
    lines = []
    for tag, changes in groupby(found.changes, key=lambda change: change.tag):
        of_tag = list(changes)
        lines.append(f"{tag}: {_customers(sum(change.customers for change in of_tag))}")
        lines += [
            f"  {_value(change.before):<28} -> {_value(change.after):<28} {change.customers:>9,}"
            for change in of_tag[:_MOST]
        ]
        if len(of_tag) > _MOST:
            lines.append(f"  and {len(of_tag) - _MOST} more ways")
    lines.append(
        f"{_customers(found.customers)} of release {found.release_id} would change"
        if found.changes
        else f"no customer of release {found.release_id} would change"
    )
    lines += [f"not proven: {broken}" for broken in found.broken]
    if found.not_comparable:
        lines.append(
            f"not compared, since they read columns the release does not hold: {', '.join(found.not_comparable)}"
        )
    return "\n".join(lines)


def history(told: Iterable[Told], name: str, tag: Tag | None) -> str:
    """The tag's versions, the newest last: rule hash, the days of the releases that had it, customers of the last."""
    held = [one for one in told if one.name == name]
    lines = [f"{name}: " + (_state(tag) if tag else "its file is gone")]
    versions = [(one.version, one.rule_hash) for one in held]
    for version, rule_hash in sorted(set(versions)):
        days = [one for one in held if (one.version, one.rule_hash) == (version, rule_hash)]
        first, last = days[0], days[-1]
        lines.append(
            f"  version {version:<3} rule {rule_hash}  since {first.as_of}, last {last.as_of}, in "
            f"{len(days)} {'release' if len(days) == 1 else 'releases'}; {_customers(last.customers)}"
        )
    if tag and (tag.version, tag.rule_hash) not in versions:
        lines.append(f"  version {tag.version:<3} rule {tag.rule_hash}  in no release yet")
    return "\n".join(lines)


def _state(tag: Tag) -> str:
    return f"version {tag.version}" + (f", retired on {tag.retired_on}" if tag.retired_on else "")


def _value(value: str | None) -> str:
    return "(none)" if value is None else value


def _customers(count: int) -> str:
    return "1 customer" if count == 1 else f"{count:,} customers"

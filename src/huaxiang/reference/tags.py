"""docs/reference/tags.md: what every tag says, when it applies and what it rests on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from huaxiang.reference import markdown
from huaxiang.settings import load_settings
from huaxiang.tags import Tag, load_tags

_KINDS = (
    ("fact", "Facts", "Repeat what is known."),
    ("rule", "Rules", "Judge by a threshold that is written in the tag's file."),
    ("model", "Models", "Repeat what a model says."),
    ("manual", "Manual", "Repeat what a person of the company has said of a customer."),
)


def page(project: Path) -> str:
    tags = load_tags(replace(load_settings(), project=project))
    lines = markdown.header("Tags", "`tags/*.yml`")
    lines += [
        f"{len(tags)} tags, one file each. The table `customer_tags` holds one row per customer and tag that applies.",
        "How to write one: [add a tag](../how-to/add-a-tag.md).",
        "",
    ]
    for kind, title, meaning in _KINDS:
        of_kind = [tag for tag in tags if tag.kind == kind]
        if of_kind:
            lines += [f"## {title}", "", meaning, ""]
        for tag in of_kind:
            lines += _tag(tag)
    return markdown.page(lines)


def _tag(tag: Tag) -> list[str]:
    lines = [f"### `{tag.name}`: {tag.title}", "", markdown.sentence(tag.description), ""]
    lines += [
        f"`{tag.tree}`, version {tag.version}, holds {tag.ttl_days} days. Owner: {tag.owner}. "
        f"Purpose: {tag.purpose}. Personal data: {tag.personal_data}.",
        "",
    ]
    if tag.retired_on:
        lines += [f"Retired: portraits carry it up to the day before {tag.retired_on}.", ""]
    if tag.values:
        every = "every customer has one" if tag.is_exhaustive else "or none"
        lines += [f"Says {', '.join(f'`{value}`' for value in tag.values)}: {every}.", ""]
    if tag.exclusive:
        lines += [f"A customer holds at most one tag of the group `{tag.exclusive}`.", ""]
    if tag.reads:
        lines += [f"Reads {markdown.codes(tag.reads)}.", ""]
    if tag.judged_by:
        model, measure = tag.judged_by.split(".")
        lines += [f"Its model, `{model}`, is judged by `{measure}` beside its baseline.", ""]
    if tag.kind != "manual":
        lines += ["```sql", f"-- value (null: does not apply)\n{tag.value}", f"-- evidence\n{tag.evidence}"]
        if tag.confidence not in ("1", "1.0"):
            lines.append(f"-- confidence\n{tag.confidence}")
        lines += ["```", ""]
    if tag.needs:
        lines += [f"Left out where a home has no source for {markdown.codes(tag.needs)}.", ""]
    return lines

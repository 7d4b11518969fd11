"""Write pages: templates filled in, everything escaped, and a policy that lets nothing in from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from huaxiang.report import glossary, words
from huaxiang.report.conservation import missing

PAGES = (
    ("index.html", "Overview"),
    ("population.html", "Population"),
    ("segments.html", "Segments"),
    ("moves.html", "Moves"),
    ("tags.html", "Tags"),
    ("attributes.html", "Attributes"),
    ("features.html", "Features"),
    ("audiences.html", "Audiences"),
    ("models.html", "Models"),
    ("recommendations.html", "Recommendations"),
    ("paths.html", "Paths"),
    ("customer.html", "Customers"),
    ("quality.html", "Quality"),
    ("data.html", "Data"),
)


@dataclass(frozen=True)
class Site:
    """Where the pages go and what all of them say: the home, the day, the currency, which pages there are."""

    folder: Path
    common: Mapping[str, Any]
    environment: Environment

    def write(self, page: str, script: str = "", **values: Any) -> None:
        """Fill in the page's template and write it. `script` is the name of a script to put into the page."""
        style = _asset("style.css")
        code = "\n".join(_asset(name) for name in ("site.js", script) if name)
        text = self.environment.get_template(page).render(
            **self.common,
            **values,
            page=page,
            style=Markup(style),  # noqa: S704 (our own file)
            script=Markup(code),  # noqa: S704 (our own files)
            policy=policy(style, code),
        )
        (self.folder / page).write_text(text, encoding="utf-8")


def site(folder: Path, pages: list[str], currency: str, **common: Any) -> Site:
    """A site with these pages in its navigation."""
    environment = Environment(
        loader=PackageLoader("huaxiang.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=words.count,
        number=words.number,
        percent=words.percent,
        money=lambda amount, decimals=2: words.money(amount, currency, decimals),
        day=words.day,
        weekday=words.weekday,
        seconds=words.seconds,
        plain=words.plain,
        listed=lambda names: words.listed([words.plain(name) for name in names]),
        missing=missing,
        label=lambda column: glossary.term(column).label,
        say=lambda value, column, mean=False: glossary.say(column, value, currency, mean),
    )
    environment.globals.update(plural=words.plural)
    shown = [(page, title) for page, title in PAGES if page in pages]
    return Site(folder, {**common, "currency": currency, "pages": shown}, environment)


def policy(style: str, code: str) -> str:
    """Content security policy: this page's own style and script, and what that script adds; nothing else."""
    return (
        f"default-src 'none'; style-src '{_sha256(style)}'; script-src '{_sha256(code)}' 'strict-dynamic'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """Every value a template prints passes here: unseen characters are spelled out, a missing value is a dash."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return words.visible(value)
    return words.NONE if value is None else value

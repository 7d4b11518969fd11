"""A wrong policy of identity ends with file, line, reason and mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.identity.policy import load_policy
from huaxiang.settings import PROJECT, load_settings

GOOD = (PROJECT / "identity.yml").read_text(encoding="utf-8")


def policy_of(tmp_path: Path, text: str) -> object:
    (tmp_path / "identity.yml").write_text(text, encoding="utf-8")
    return load_policy(replace(load_settings(), config=tmp_path / "huaxiang.yml", sources=("crm", "shop")))


def test_the_policy_that_comes_with_the_code_is_read(tmp_path: Path) -> None:
    policy = load_policy(load_settings())
    assert policy.kinds["email"].strength == "strong"
    assert policy.survivorship.fields["age_band"] == ("source", "recency")


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("email:         {strength: strong,", "email:         {strength: iron,", "use strong, weak, described, answer"),
        ("  surname:   ", "  sur name;--:", "use lower-case letters, digits and _"),
        ("clean: email", "clean: soap", "use exact, email, phone"),
        ("half_life_days: 90", "half_life_days: soon", "give a whole number of days"),
        ("compare: [1, 3]", "compare: [3, 1]", "write it as \\[1, 2\\]"),
        ("- [birth_date]", "- [birthday]", "which is not a compared kind; use birth_date"),
        ("link_above: 0.99 ", "link_above: 99 ", "give a number from 0.5 to 1"),
        ("tell_above: 0.5 ", "tell_above: 0.999 ", "give a probability up to link_above"),
        ("most_per_person: 20", "most_per_person: no", "give a whole number of at least 2"),
        ("sources: []  ", "sources: [erp]", "'erp', which is not a source of this home; use crm, shop"),
        ("[source, recency]\n", "[source, loudness]\n", "use source, recency, completeness, confidence"),
        ("fields: {}  ", "fields: {shoe_size: [source]}", "is not a field of customers; use age_band"),
        ("most_per_person:", "most_per_persona:", "is not known; the keys here are"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_and_mend(tmp_path: Path, good: str, bad: str, said: str) -> None:
    text = GOOD.replace(good, bad, 1)
    line = text[: text.index(bad)].count("\n") + 1
    with pytest.raises(BadConfiguration, match=f"identity.yml:{line}: .*{said}"):
        policy_of(tmp_path, text)


def test_a_file_that_is_no_policy_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"identity.yml: must be a mapping"):
        policy_of(tmp_path, "- a\n- b\n")
    with pytest.raises(BadConfiguration, match=r"identity.yml:1: 'kinds' is missing"):
        policy_of(tmp_path, "link_above: 0.9\n")

"""The tags: what a portrait says in words, one small file each in `tags/<name>.yml`.

A tag is an SQL expression over the columns of a customer's portrait (its value; null means "does not apply") and a
sentence of evidence with the figures behind it. All that is wrong in a file is found before anything runs.
"""

from huaxiang.tags.columns import ProfileColumn, profile_columns, tag_columns
from huaxiang.tags.loading import load_tags
from huaxiang.tags.tag import KINDS, PERSONAL_DATA, TREE, Tag, TagTest, column_of, in_force, needs_of, of_visitors

__all__ = [
    "KINDS",
    "PERSONAL_DATA",
    "TREE",
    "ProfileColumn",
    "Tag",
    "TagTest",
    "column_of",
    "in_force",
    "load_tags",
    "needs_of",
    "of_visitors",
    "profile_columns",
    "tag_columns",
]

"""Releases: immutable folders of tables and pages, one of them current."""

from huaxiang.release.publication import publish, rollback
from huaxiang.release.store import Release, current, find, latest_before, of_run, releases, verify

__all__ = ["Release", "current", "find", "latest_before", "of_run", "publish", "releases", "rollback", "verify"]

"""The report step: write the pages that people read into `<build>/report/`, from the build's sealed tables."""

from __future__ import annotations

import shutil

from huaxiang import __version__
from huaxiang.failpoints import reach
from huaxiang.report.site import PAGES, site
from huaxiang.report.tables import BuildTables
from huaxiang.settings import Run, Settings
from huaxiang.steps import step


def build(settings: Settings, run: Run) -> None:
    """Write all pages anew. Raises MissingPartition when the build has no portraits yet."""
    from huaxiang.report.pages import customer, data, models, overview, paths, quality, recommendations, segments

    with step("report", run, settings) as log, BuildTables(settings, run) as tables:
        folder = tables.build / "report"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        needed = {
            "segments.html": tables.has("segments"),
            "models.html": models.is_needed(tables),
            "recommendations.html": recommendations.is_needed(tables),
            "paths.html": paths.is_needed(tables),
        }
        pages = [page for page, _ in PAGES if needed.get(page, True)]
        made = site(
            folder,
            pages,
            settings.currency,
            home=settings.name,
            as_of=run.as_of,
            known_at=run.known_at,
            time_zone=settings.time_zone,
            version=__version__,
        )
        overview.write(made, tables, pages)
        reach("report.between_pages")
        quality.write(made, tables)
        data.write(made, tables)
        if "segments.html" in pages:
            segments.write(made, tables)
        if "models.html" in pages:
            models.write(made, tables)
        if "recommendations.html" in pages:
            recommendations.write(made, tables)
        if "paths.html" in pages:
            paths.write(made, tables)
        customer.write(made, tables)
        written = [path for path in folder.rglob("*") if path.is_file()]
        log.fact("pages", len(pages))
        log.fact("megabytes", round(sum(path.stat().st_size for path in written) / 1e6, 1))

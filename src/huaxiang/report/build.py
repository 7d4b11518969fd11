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
    from huaxiang.report.pages import (
        attributes,
        audiences,
        customer,
        data,
        features,
        models,
        moves,
        overview,
        population,
        quality,
        recommendations,
        segments,
        tags,
    )

    # Pages that only some homes have; each says whether it is needed.
    optional = {
        "population.html": population,
        "segments.html": segments,
        "moves.html": moves,
        "tags.html": tags,
        "attributes.html": attributes,
        "audiences.html": audiences,
        "models.html": models,
        "features.html": features,
        "recommendations.html": recommendations,
    }

    with step("report", run, settings) as log, BuildTables(settings, run) as tables:
        folder = tables.build / "report"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        pages = [page for page, _ in PAGES if page not in optional or optional[page].is_needed(tables)]
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
        for page, module in optional.items():
            if page in pages:
                module.write(made, tables)
        customer.write(made, tables)
        written = [path for path in folder.rglob("*") if path.is_file()]
        log.fact("pages", len(pages))
        log.fact("megabytes", round(sum(path.stat().st_size for path in written) / 1e6, 1))

"""The catalogue: where everything of a home lies, and which tables a release holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPARK_SCRATCH = "spark_scratch"


@dataclass(frozen=True)
class Home:
    """`HUAXIANG_HOME`: one company's data. All paths of a home are spelled here and nowhere else.

    `work` names the warehouse, `drafts` the builds: a training or a trial has its own.
    """

    root: Path
    work: str = "warehouse"
    drafts: str = "build"

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger"

    @property
    def repairs(self) -> Path:
        """The repairs of refused records, numbered: raw data like the drops themselves."""
        return self.root / "repairs"

    @property
    def warehouse(self) -> Path:
        return self.root / self.work

    @property
    def duckdb_file(self) -> Path:
        return self.warehouse / "huaxiang.duckdb"

    @property
    def spark_tables(self) -> Path:
        """The warehouse of the engine Spark: a folder per layer, in it a folder of Parquet per table."""
        return self.warehouse / "spark"

    @property
    def known_files(self) -> Path:
        """The landed files that are in force in the run that staging holds, with their rank."""
        return self.warehouse / "known_files.parquet"

    @property
    def person_keys(self) -> Path:
        """Which person each customer of a source is in staging's run; empty where no source has identifiers."""
        return self.warehouse / "person_keys.parquet"

    @property
    def person_links(self) -> Path:
        """The links behind the persons of that run."""
        return self.warehouse / "person_links.parquet"

    @property
    def product_words(self) -> Path:
        """The words of the product types that staging holds."""
        return self.warehouse / "product_words.parquet"

    @property
    def identity(self) -> Path:
        """What recognising people keeps: the log of links, people's decisions, fitted models, how many ids changed."""
        return self.root / "identity"

    @property
    def spark_scratch(self) -> Path:
        """What a Spark session writes while it lives; nothing in it outlives the command."""
        return self.root / SPARK_SCRATCH

    @property
    def build_link(self) -> Path:
        """Leads to the run's build while dbt works."""
        return self.warehouse / "build"

    @property
    def dbt_target(self) -> Path:
        return self.warehouse / "dbt_target"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current(self) -> Path:
        return self.root / "CURRENT"

    @property
    def errata(self) -> Path:
        """What came to light about releases after they were sealed, a file per release."""
        return self.root / "errata"

    @property
    def tags_released(self) -> Path:
        """What every release said of its tags, a file per release; it stays when the release goes."""
        return self.root / "tags" / "released"

    @property
    def tags_backfilled(self) -> Path:
        """Side tables: tags computed over past releases that did not have them."""
        return self.root / "tags" / "backfilled"

    @property
    def lease(self) -> Path:
        return self.root / "lease"

    @property
    def mlflow_uri(self) -> str:
        return f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.root / "mlartifacts"

    @property
    def champions(self) -> Path:
        """A sealed copy of every champion as last known, which scores while MLflow is away."""
        return self.root / "champions"

    @property
    def mlflow_spool(self) -> Path:
        """Trainings and releases that MLflow has not taken yet, one numbered folder each."""
        return self.root / "mlflow_spool"

    @property
    def mlflow_spool_lock(self) -> Path:
        return self.root / "mlflow_spool.lock"

    @property
    def proposals(self) -> Path:
        """What was proposed to be trained anew, one small file a day."""
        return self.root / "proposals"

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def services(self) -> Path:
        """One small file per process that `huaxiang up` has started."""
        return self.root / "services"

    @property
    def lineage(self) -> Path:
        """What each run, task and dbt model read and wrote, as OpenLineage events, one per line."""
        return self.root / "lineage" / "events.jsonl"

    @property
    def builds(self) -> Path:
        return self.root / self.drafts

    def build(self, run_id: str) -> Path:
        """The private build of a run: nobody reads it but the run itself."""
        return self.builds / run_id

    def inputs(self, run_id: str) -> Path:
        """What models read besides the released features; hidden, so it is never published."""
        return self.build(run_id) / ".inputs"

    def release(self, release_id: str) -> Path:
        return self.releases / release_id


@dataclass(frozen=True)
class ReleasedTable:
    """A table of a release: one Parquet file, sealed by a content hash."""

    name: str
    folder: str
    key: tuple[str, ...]
    title: str
    columns: tuple[tuple[str, str], ...] = ()  # name and meaning, all texts, where no dbt yml describes the table

    @property
    def path(self) -> str:
        """Its place inside a build or a release."""
        return f"{self.folder}/{self.name}.parquet"


RELEASED = (
    ReleasedTable(
        "customer_features",
        "features",
        ("customer_id", "as_of"),
        "what is known of each customer at the end of the day",
    ),
    ReleasedTable(
        "customer_interests",
        "features",
        ("customer_id", "as_of", "rank"),
        "each customer's top categories, recent purchases weighing more",
    ),
    ReleasedTable(
        "customer_keywords",
        "features",
        ("customer_id", "as_of", "rank"),
        "the words that tell what each customer buys from what others buy",
    ),
    ReleasedTable(
        "customer_category_next_purchases",
        "features",
        ("customer_id", "as_of", "category"),
        "when each customer is expected to buy a category next, with an interval",
    ),
    ReleasedTable(
        "places",
        "features",
        ("level", "place_id"),
        "what is spent in each store and region, and what an order there comes to once chance is taken off",
    ),
    ReleasedTable(
        "customer_event_features",
        "features",
        ("customer_id", "as_of"),
        "the features declared in features/*.yml",
    ),
    ReleasedTable(
        "customer_web_features",
        "features",
        ("customer_id", "as_of"),
        "what is known of each visitor of the web or an app at the end of the day",
    ),
    ReleasedTable(
        "retention_cohorts",
        "features",
        ("cohort_month", "months_since"),
        "of the customers of each month of first order, how many ordered in each month since",
    ),
    ReleasedTable(
        "survival_curve",
        "features",
        ("first_day_spend", "days_since_first_order"),
        "the share of customers who have not lapsed so many days after their first order, with an interval",
    ),
    ReleasedTable("web_pages", "features", ("page",), "every page of the last 91 days: views, entries, exits, dwell"),
    ReleasedTable("web_page_moves", "features", ("from_page", "to_page"), "which page followed which"),
    ReleasedTable("customer_segments", "segments", ("customer_id",), "the segment each customer belongs to"),
    ReleasedTable("segments", "segments", ("segment_id",), "one row per segment: its name, size and share"),
    ReleasedTable(
        "segment_facts", "segments", ("segment_id", "rank"), "the tested differences behind each segment's name"
    ),
    ReleasedTable(
        "segment_moves",
        "segments",
        ("customer_id", "rank"),
        "who changed segment since the release before, and the feature that moved",
    ),
    ReleasedTable(
        "customer_items",
        "recommendations",
        ("customer_id", "task", "rank"),
        "what to recommend to each customer, and why",
    ),
    ReleasedTable("rules", "associations", ("antecedent", "consequent"), "what is bought together more than by chance"),
    ReleasedTable(
        "customer_scores",
        "scores",
        ("customer_id", "target", "category"),
        "how likely each customer is to stay away, or to buy a category",
    ),
    ReleasedTable(
        "customer_attributes",
        "attributes",
        ("customer_id", "attribute"),
        "what each customer declared, and what may be inferred of the others, never in one column",
    ),
    ReleasedTable(
        "customer_factors",
        "attributes",
        ("customer_id", "factor"),
        "how much each behavioural lifestyle factor weighs in what a customer buys",
    ),
    ReleasedTable("factors", "attributes", ("factor", "rank"), "the categories of each behavioural lifestyle factor"),
    ReleasedTable(
        "customer_new_categories",
        "categories",
        ("customer_id", "rank"),
        "the categories each customer has never bought and may start next, and why",
    ),
    ReleasedTable(
        "customer_vectors",
        "vectors",
        ("customer_id", "dimension"),
        "each customer's place on every dimension of what is bought, where vectors are better than RFM",
    ),
    ReleasedTable(
        "vector_dimensions",
        "vectors",
        ("dimension", "end", "rank"),
        "what weighs most at either end of each dimension",
    ),
    ReleasedTable("frequent_sequences", "sequences", ("sequence",), "what often comes after what, in this order"),
    ReleasedTable(
        "customer_next_categories", "sequences", ("customer_id", "rank"), "the category each customer comes to next"
    ),
    ReleasedTable("customer_profiles", "profiles", ("customer_id",), "the portrait: one row per customer"),
    ReleasedTable(
        "portrait_levels",
        "profiles",
        ("level", "group_id"),
        "everybody's totals and each segment's, to which the portraits add up",
    ),
    ReleasedTable("customer_tags", "profiles", ("customer_id", "tag"), "every tag of every customer with its evidence"),
    ReleasedTable(
        "customer_audiences",
        "audiences",
        ("audience", "customer_id"),
        "which customers each audience holds",
        (("audience", "Name of the audience: its file is audiences/<name>.yml."), ("customer_id", "The customer.")),
    ),
)

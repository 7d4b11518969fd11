from huaxiang import lease, stray

STRAY = (
    "raw/.abc123.4711.tmp",
    "ledger/.000002.parquet.4711.tmp",
    "landing/shop/order_lines/load_date=2017-01-02/.x.parquet.4711.tmp",
    ".CURRENT.4711.tmp",
    ".landing-x1/part.parquet",
    "build/2017-01-02/segments/.spark/part-0.parquet",
    "build/.2017-01-01.removed.tmp/lease.json",
    "releases/.2017-01-02-ab.tmp/profiles/customer_profiles.parquet",
    "repairs/.000001.json.4711.tmp",
    "mlflow_spool/.1.removed.tmp/fits/0/files/model.json",
    "mlflow_spool/.2.tmp/entry.json",
    "spark_scratch/blockmgr-39941b52/0e/shuffle.data",
    "spark_scratch/liblz4-java-17072499208164820606.so",
)
KEPT = (
    "raw/abc123",
    "inbox/shop/.sales.csv.4711.tmp",
    "releases/2017-01-01-aa/report/.hidden.tmp",
    "build/2017-01-02/lease.json",
    "repairs/000001.json",
    "mlflow_spool/3/fits/0/files/.model.tmp",
    "mlflow_spool/3.plan.json",
    "mlflow_spool/set_aside/1/entry.json",
    "warehouse/huaxiang.duckdb",
    "airflow/.airflow.db.4711.tmp",
)


def written(settings):
    for name in (*STRAY, *KEPT):
        path = settings.home.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def files(settings):
    root = settings.home.root
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_what_a_dead_command_left_goes_and_nothing_else(settings):
    written(settings)
    stray.clear_up(settings)
    assert files(settings) == set(KEPT)


def test_whoever_finds_the_name_of_a_dead_holder_clears_up_after_it(settings):
    written(settings)
    lock = settings.home.root / "lease.lock"
    lock.write_text("'landing --as-of 2017-01-02' (process 4711)")
    with lease.hold(settings, "landing"):
        assert files(settings) == {*KEPT, "lease.lock"}
    assert lock.read_text() == ""


def test_after_an_orderly_end_nobody_looks(settings):
    with lease.hold(settings, "landing"):
        pass
    written(settings)
    with lease.hold(settings, "staging"):
        assert set(STRAY) <= files(settings)

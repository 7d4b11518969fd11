# The environment `airflow` beside `work`: a task is a `huaxiang` command of the latter, started by the scheduler's
# LocalExecutor, so the two must be in one image. `work` is the image of docker/work.Dockerfile; compose names it.
FROM work

USER 0:0
RUN .venv/uv/bin/uv venv --python python3.11 .venv/airflow \
    && .venv/uv/bin/uv pip sync --no-cache --compile-bytecode --require-hashes --python .venv/airflow/bin/python requirements/airflow.lock
USER 10001:10001

# The environment `work`: data, models, gates, pages; MLflow's server, the Spark cluster and the report site run from it.
# The tag is exact; add its digest (docs/how-to/run-the-scaled-form.md) once you have pulled it.
FROM python:3.11.13-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/huaxiang
COPY requirements/ requirements/
RUN python -m venv .venv/uv \
    && .venv/uv/bin/pip install --no-cache-dir --require-hashes --requirement requirements/uv.lock \
    && .venv/uv/bin/uv venv --python python3.11 .venv/work \
    && .venv/uv/bin/uv pip sync --no-cache --compile-bytecode --require-hashes --python .venv/work/bin/python requirements/work.lock

COPY . .
RUN .venv/uv/bin/uv pip install --no-cache --python .venv/work/bin/python --no-deps --no-build-isolation --editable . \
    && python -m compileall -q src spark_jobs expectations

# Whoever runs it can write only to the folders that docker-compose.yml mounts, and to /tmp.
ENV PATH=/opt/huaxiang/.venv/work/bin:$PATH \
    SPARK_HOME=/opt/huaxiang/.venv/work/lib/python3.11/site-packages/pyspark \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    DO_NOT_TRACK=true
USER 10001:10001

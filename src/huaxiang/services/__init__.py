"""The services a team looks at: Airflow, MLflow and the pages, started and ended together for one home."""

from huaxiang.services.together import down, is_up, up

__all__ = ["down", "is_up", "up"]

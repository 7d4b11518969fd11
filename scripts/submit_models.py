"""The word `models` for spark-submit: `spark-submit --master spark://host:7077 scripts/submit_models.py --as-of D`."""

import sys

from huaxiang.cli import main

sys.exit(main(["models", *sys.argv[1:]]))

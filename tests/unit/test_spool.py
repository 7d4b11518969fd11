"""What waits for MLflow is there whole or not at all, wherever its writer is killed."""

import os
import signal

import pytest

from huaxiang import stray, tracking
from huaxiang.tracking import plan, spool
from huaxiang.tracking.fits import Fit, Training
from huaxiang.tracking.promotion import Decision

MANIFEST = {"release_id": "2024-01-01-aaaa", "fence": 1}


def removed_and_killed(entry, fatal):
    """Whether a process that removes the entry came as far as the n-th file, at which it is killed."""
    child = os.fork()
    if child == 0:
        unlink, files = os.unlink, []

        def unlink_or_die(*arguments, **options):
            files.append(arguments)
            if len(files) == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            unlink(*arguments, **options)

        os.unlink = unlink_or_die
        spool.remove(entry)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("fatal", [1, 2])
def test_an_entry_whose_removal_was_killed_does_not_wait_any_more(settings, fatal):
    entry = spool.put_release(settings, MANIFEST)
    assert removed_and_killed(entry, fatal)
    assert spool.entries(settings) == []
    assert tracking.waiting(settings) == set()
    again = spool.put_release(settings, MANIFEST)
    assert spool.entries(settings) == [again]
    spool.remove(again)
    stray.clear_up(settings)
    assert list(settings.home.mlflow_spool.iterdir()) == []


def test_a_fit_without_a_model_is_measured_and_comes_back_as_it_was_written_down(settings):
    fit = Fit(
        "recommend_any", "user-based", "", "f", "2024-01-01", {}, {"ndcg": 0.9}, (), None, {}, None, (), recipe="u"
    )
    training = Training((fit,), "ndcg", Decision("u", None, "the best figure of all"))
    read = spool.training(spool.put_training(settings, training, {}))
    assert read.fits == (fit,)
    made = plan.Plan("key", None, "won", training.decision, False)
    assert plan.role_of(read.fits[0], made) == (None, "measured")

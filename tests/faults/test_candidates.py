"""What wins a proposed training waits as candidate, with a real MLflow: the champion scores until it is promoted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faults.handovers import TARGET, a_home, a_training, catch_up, copied, facts
from huaxiang import tracking
from huaxiang.errors import HuaxiangError, NothingDue
from huaxiang.models import candidates
from huaxiang.settings import Run, Settings
from huaxiang.tracking import mlflow_store, spool

pytestmark = [pytest.mark.faults, pytest.mark.slow]

CODE = {"code": {"revision": "r", "hash": "h"}, "run": []}
RUN = Run(date(2024, 4, 7), date(2024, 4, 7))


@pytest.fixture(scope="module")
def with_champion(tmp_path_factory) -> Settings:
    """A home with a champion, version 1, and a challenger, version 2."""
    home = replace(a_home(tmp_path_factory.mktemp("candidates") / "home"), models=("scores",))
    catch_up(home)
    return home


@pytest.fixture
def home(with_champion, tmp_path) -> Settings:
    """The same after a held training of a week later: version 3 is the candidate."""
    home = copied(with_champion, tmp_path / "home")
    spool.put_training(home, replace(a_training(home.home.root, "2024-04-07"), is_held=True), CODE)
    assert catch_up(home) == [
        f"MLflow has now the training of {TARGET}, trained up to 2024-04-07; version 3 is the candidate, which has to "
        "prove itself beside the champion"
    ]
    return home


def aliases(home: Settings) -> dict[str, str]:
    return facts(home)["aliases"]


def tags(home: Settings, number: str) -> dict[str, str]:
    with mlflow_store.asking(home) as mlflow:
        return mlflow.MlflowClient().get_model_version(TARGET, number).tags


def test_a_candidate_waits_and_the_champion_goes_on_scoring(home):
    assert aliases(home) == {"champion": "1", "challenger": "4", "candidate": "3"}
    assert tracking.champion(home, TARGET).version == "1" and facts(home)["kept"][0] == "1"
    [waiting] = candidates.waiting(home)
    assert (waiting.target, waiting.version.version, waiting.against) == (TARGET, "3", "version 1")
    assert waiting.backtest and waiting.shadow == ""


def test_it_is_promoted_after_its_trial_and_not_before(home):
    with pytest.raises(HuaxiangError, match="version 3 has not passed its trial beside the champion"):
        candidates.promote(home, RUN, TARGET)
    assert candidates.promote(home, RUN) == []
    candidates.note_shadow(home, candidates.waiting(home)[0], [], "100.0% the same")
    assert [one.version for one in candidates.promote(home, RUN)] == ["3"]
    assert aliases(home) == {"champion": "3", "challenger": "4"} and facts(home)["kept"][0] == "3"
    assert tags(home, "3")["decision"] == "promoted with 2024-04-07"
    assert tags(home, "3")["shadow_evidence"] == "100.0% the same"
    with pytest.raises(NothingDue, match="no candidate waits"):
        candidates.promote(home, RUN)


def test_one_that_fails_its_trial_is_rejected_and_its_evidence_stays(home):
    candidates.note_shadow(home, candidates.waiting(home)[0], ["covers 3 customers, the champion 9"], "")
    assert candidates.waiting(home) == []
    assert aliases(home) == {"champion": "1", "challenger": "4"}
    assert tags(home, "3")["decision"] == "rejected: covers 3 customers, the champion 9"


def test_a_person_can_reject_it_and_is_asked_only_where_the_home_says_so(home):
    with pytest.raises(NothingDue, match="approval: rule"):
        candidates.ask(home, RUN)
    asking = replace(home, approval="person")
    with pytest.raises(NothingDue, match="none has passed"):
        candidates.ask(asking, RUN)
    candidates.note_shadow(home, candidates.waiting(home)[0], [], "99.0% the same")
    said = candidates.ask(asking, RUN)
    assert said.startswith(f"{TARGET}: version 3 for version 1; backtest: ") and said.endswith("99.0% the same")
    candidates.reject(home, RUN, reason="a campaign runs")
    assert aliases(home)["champion"] == "1" and tags(home, "3")["decision"] == "rejected: a campaign runs"


def test_one_judged_against_a_former_champion_is_rejected(home):
    candidates.note_shadow(home, candidates.waiting(home)[0], [], "")
    with mlflow_store.asking(home) as mlflow:
        mlflow.MlflowClient().set_registered_model_alias(TARGET, "champion", "4")
    assert candidates.promote(home, RUN) == []
    assert aliases(home)["champion"] == "4"
    assert tags(home, "3")["decision"] == "rejected: judged against version 1, but version 4 scores now"


def test_a_first_model_or_one_whose_champion_cannot_score_is_not_held(tmp_path):
    home = a_home(tmp_path / "new")
    spool.remove(spool.entries(home)[0])
    spool.put_training(home, replace(a_training(home.home.root), is_held=True), CODE)
    catch_up(home)
    assert aliases(home)["champion"] == "1"
    now = tracking.champion(home, TARGET)
    broken = replace(a_training(home.home.root, "2024-04-07"), is_held=True, must_replace=True, against=now)
    spool.put_training(home, broken, CODE)
    catch_up(home)
    assert aliases(home)["champion"] == "3" and "candidate" not in aliases(home)

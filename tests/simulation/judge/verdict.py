"""The verdict on a history: right, or the first thing that is wrong with it."""

from tests.simulation.judge.answers import Answers, check_posted
from tests.simulation.judge.commits import Commit, commits
from tests.simulation.judge.finals import check_final
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.violation import Violation, require
from tests.simulation.scenario import Played


def judge(played: Played) -> Replay:
    """Goes through everything that a history did.

    Raises:
        Violation: the first thing that is wrong.
    """
    changes = [change for change in played.simulation.engine.changes if change.number > played.first_change]
    made = commits(changes, played.simulation.engine.slowly_changed)
    replay = Replay(played)
    answers = Answers(replay)
    since = played.first_change
    early: list[Commit] = []
    for place, commit in enumerate(made):
        answers.state(since, commit.number)
        try:
            replay.apply(commit)
        except Violation:
            # Whoever wrote this record may have seen a part of what is complete only after it.
            if commit.record is None or not any(later.first < commit.number for later in made[place + 1 :]):
                raise
            early.append(commit)
        since = commit.number
        for one in [one for one in early if all(later.first > one.number for later in made[place + 1 :])]:
            early.remove(one)
            replay.apply(one)
    answers.state(since)
    check_posted(replay)
    answers.finish()
    require(not played.undecided, "undecided", f"{played.undecided} never got an answer")
    check_final(replay)
    return replay

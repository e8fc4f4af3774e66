"""The verdict on a history: right, or the first thing that is wrong with it."""

from tests.simulation.judge.answers import Answers, check_posted
from tests.simulation.judge.commits import commits
from tests.simulation.judge.finals import check_final
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.violation import require
from tests.simulation.scenario import Played


def judge(played: Played) -> Replay:
    """Goes through everything that a history did.

    Raises:
        Violation: the first thing that is wrong.
    """
    changes = [change for change in played.simulation.engine.changes if change.number > played.first_change]
    made = commits(changes)
    replay = Replay(played)
    answers = Answers(replay)
    since = played.first_change
    for commit in made:
        answers.state(since, commit.number)
        replay.apply(commit)
        since = commit.number
    answers.state(since)
    check_posted(replay)
    answers.finish()
    require(not played.undecided, "undecided", f"{played.undecided} never got an answer")
    check_final(replay)
    return replay

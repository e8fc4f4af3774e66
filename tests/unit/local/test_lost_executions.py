"""What is said of executions that a stop ended."""

from infra.local.lost_executions import told


def test_what_ended_with_a_stop_is_named_with_the_way_on() -> None:
    assert told({}) == []
    first, *named, way, _ = told({"fulfillment": ["r-1", "r-2"], "bulk": ["spring"]})
    assert first.startswith("3 executions ended with the last stop")
    assert named == ["  fulfillment: r-1, r-2", "  bulk: spring"]
    assert "approved or rejected" in way
    assert told({"bulk": ["spring"]})[0].startswith("1 execution ended")

"""Whose leader key is deleted, and whose never."""

import time
from collections.abc import Callable
from typing import Any, Final

from deploy.local import leader_key

PATH: Final = "/ringback/ringback/leader"
Held = dict[str, Any]


class Decisions:
    """The key as the cluster's decisions hold it; `answers` is what each request does."""

    leader_path: Final = PATH

    def __init__(self, held: Held | None, *answers: Callable[["Decisions", Held], object]) -> None:
        self.held = held
        self.requests: list[Held] = []
        self._answers = list(answers)
        self._sync_obj = self

    def get(self, path: str) -> Held | None:
        assert path == PATH
        return self.held

    def _delete(self, path: str, *, recursive: bool, callback: Callable[[object, object], None], **only: Any) -> None:
        assert (path, recursive) == (PATH, False)
        self.requests.append(only)
        answer = self._answers.pop(0) if self._answers else Decisions.deletes
        said = answer(self, only)
        if said is not None:
            callback(said, 0)

    def deletes(self, only: Held) -> bool:
        if self.held and (self.held["value"], self.held["index"]) == (only["prevValue"], only["prevIndex"]):
            self.held = None
            return True
        return False


def deleted(decisions: Decisions, node: str = "postgres-1") -> str:
    return within(10, decisions, node)


def within(seconds: float, decisions: Decisions, node: str = "postgres-1") -> str:
    return leader_key.delete(leader_key.RaftKey(decisions), node=node, until=time.monotonic() + seconds)


def test_it_deletes_the_key_of_a_dead_leader() -> None:
    decisions = Decisions({"value": "postgres-1", "index": 7})
    assert deleted(decisions) == "led; its key is deleted"
    assert decisions.held is None
    assert decisions.requests == [{"prevValue": "postgres-1", "prevIndex": 7}]


def test_it_touches_no_key_of_another_node_and_asks_for_none() -> None:
    for held in ({"value": "postgres-2", "index": 7}, None):
        decisions = Decisions(held)
        assert deleted(decisions) == "did not lead"
        assert decisions.held == held
        assert decisions.requests == []


def test_it_cannot_delete_the_key_that_a_restarted_node_has_taken_anew() -> None:
    """The request was on its way; meanwhile the key ran out and the node that was started again took a new one."""

    def late(decisions: Decisions, only: Held) -> object:
        decisions.held = {"value": "postgres-1", "index": 9}
        refused = decisions.deletes(only)
        decisions.held = {"value": "postgres-2", "index": 10}
        return refused

    decisions = Decisions({"value": "postgres-1", "index": 7}, late)
    assert deleted(decisions) == "did not lead"
    assert decisions.held == {"value": "postgres-2", "index": 10}


def test_it_asks_again_where_no_answer_came_or_nobody_decides() -> None:
    decisions = Decisions({"value": "postgres-1", "index": 7}, lambda *_: None, lambda *_: False, lambda *_: None)
    assert deleted(decisions) == "led; its key is deleted"
    assert len(decisions.requests) == 4


def test_it_gives_up_in_time_and_says_so() -> None:
    decisions = Decisions({"value": "postgres-1", "index": 7})
    assert within(-1, decisions).startswith("may still lead")
    assert decisions.held is not None

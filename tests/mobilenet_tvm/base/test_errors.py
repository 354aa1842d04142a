from __future__ import annotations

from mobilenet_tvm.base.errors import UserError, unknown


def test_a_message_is_one_line() -> None:
    assert str(UserError("a\n  b")) == "a b"


def test_unknown_offers_the_nearest_name() -> None:
    assert "'verify'" in str(unknown("verb", "verfiy", ["run", "verify"]))


def test_unknown_lists_names_where_none_is_near() -> None:
    assert str(unknown("verb", "qqqq", ["run", "verify"])).endswith("it is one of run, verify")

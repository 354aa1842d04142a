"""The building blocks that the networks share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from frontend.layers import conv_bn, make_divisible


@given(st.floats(0.5, 4096), st.sampled_from([1, 4, 8, 16]))
def test_make_divisible_divides_and_never_takes_more_than_a_tenth_off(value: float, divisor: int) -> None:
    result = make_divisible(value, divisor)
    assert result % divisor == 0
    assert result >= max(divisor, 0.9 * value)
    assert result - value <= divisor


def test_make_divisible_rounds_as_torchvision_does() -> None:
    assert [make_divisible(c * 0.35) for c in (32, 16, 24, 64, 96, 160, 320)] == [16, 8, 8, 24, 32, 56, 112]


def test_a_linear_bottleneck_has_no_activation_and_names_are_ours_on_request() -> None:
    assert list(dict(conv_bn(8, 8, 1, activation=None).named_children())) == ["0", "1"]
    assert list(dict(conv_bn(8, 8, 1, activation=None, named=True).named_children())) == ["conv", "bn"]

"""The registry of networks."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from frontend import zoo
from mobilenet_tvm.base.errors import UserError


def test_the_zoo_is_what_the_readme_says() -> None:
    names = {entry.name for entry in zoo.entries()}
    v1 = {f"mobilenet_v1_{width}_{side}" for width in (1.0, 0.75, 0.5, 0.25) for side in (224, 192, 160, 128)}
    v2 = {f"mobilenet_v2_{width}_224" for width in (1.4, 1.0, 0.75, 0.5, 0.35)}
    assert len(v1) == 16
    assert v1 | v2 | {"mobilenet_v3_large_1.0_224", "mobilenet_v3_small_1.0_224"} <= names
    v4 = {f"mobilenet_v4_conv_{size}" for size in ("small_224", "medium_256", "large_384")}
    assert v4 | {"ssd_mobilenet_v1", "ssdlite_mobilenet_v2", "mobilenet_v1_ssd_face"} <= names
    assert "efficientnet_lite0" in names
    assert {"mobilenet_v1_1.0_224_full_conv", "mobilenet_v1_1.0_224_shallow"} <= names


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mobilenet_v1_1.0_225", "mobilenet_v1_1.0_224"),
        ("mobilenet_v2", "mobilenet_v2_1.0_224"),
        ("mobilenet_v4_conv_small", "mobilenet_v4_conv_small_224"),
        ("ssdlite_mobilenetv2", "ssdlite_mobilenet_v2"),
        ("mobilenet_v3_larg_1.0_224", "mobilenet_v3_large_1.0_224"),
        ("MobileNet_V2_1.0_224", "mobilenet_v2_1.0_224"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(UserError, match=f"did you mean '{right}'"):
        zoo.find(wrong)


def test_a_name_like_no_other_is_answered_with_where_to_look() -> None:
    with pytest.raises(UserError, match="mobilenet-tvm models"):
        zoo.find("xyzzy")


def test_entries_are_frozen_and_their_names_unique() -> None:
    entry = zoo.find("mobilenet_v2_1.0_224")
    with pytest.raises(FrozenInstanceError):
        entry.name = "mine"  # type: ignore[misc]
    with pytest.raises(ValueError, match="two models"):
        zoo.register(replace(entry, resolution=96))


def test_an_activation_that_a_network_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(UserError, match="no activation 'relu'; it comes with relu6"):
        zoo.find("mobilenet_v2_1.0_224").module(activation="relu")
    with pytest.raises(UserError, match="relu or relu6"):
        zoo.find("mobilenet_v1_0.25_128").module(activation="gelu")

"""The child process that the front door starts."""

from __future__ import annotations

import pytest

from frontend import zoo
from mobilenet_tvm.base.answers import ModelSummary, Zoo
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.jobs import ModelsJob


def test_models_lists_the_zoo_with_its_cost() -> None:
    models = run_child("frontend", ModelsJob(), Zoo, block=("tvm",)).models
    assert sorted(model.name for model in models) == sorted(entry.name for entry in zoo.entries())
    assert ModelSummary.of(models[0]) == ModelSummary(
        name="mobilenet_v1_1.0_224", parameters=4_210_088, mult_adds=568_740_352, resolution=224, imagenet=False
    )
    assert [model.name for model in models if model.imagenet] == ["mobilenet_v2_1.0_224", "efficientnet_lite0"]


def test_a_users_mistake_comes_through() -> None:
    with pytest.raises(UserError, match=r"did you mean 'mobilenet_v2_1\.0_224'"):
        run_child("frontend", ModelsJob(name="mobilenet_v2_1.0_244"), Zoo)


def test_without_torch_the_answer_says_how_to_get_it() -> None:
    with pytest.raises(UserError, match=r"need PyTorch: pip install 'mobilenet-tvm\[frontend\]'"):
        run_child("frontend", ModelsJob(), Zoo, block=("torch",))

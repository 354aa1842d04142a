"""Anchors, and how boxes are coded in them."""

from __future__ import annotations

import math

import torch

from frontend.detection import BoxDecoder, anchor_boxes

SIDES = (19, 10, 5, 3, 2, 1)


def test_anchors_are_those_of_tensorflows_object_detection() -> None:
    anchors = anchor_boxes(SIDES)
    assert anchors.shape == (1917, 4)
    sizes, centres = anchors[:, 2:] - anchors[:, :2], (anchors[:, 2:] + anchors[:, :2]) / 2
    step = 1 / 19
    torch.testing.assert_close(centres[3 * 20], torch.tensor([1.5 * step, 1.5 * step]))
    root = math.sqrt(0.5)  # of the first map: 0.1 squared, then 0.2 at twice the width and at twice the height
    torch.testing.assert_close(
        sizes[:3], torch.tensor([[0.1, 0.1], [0.2 * root, 0.2 / root], [0.2 / root, 0.2 * root]])
    )
    second = sizes[3 * 19 * 19 :][:2]
    torch.testing.assert_close(second, torch.tensor([[0.35, 0.35], [math.sqrt(0.35 * 0.5)] * 2]))
    torch.testing.assert_close(sizes[-6:-4], torch.tensor([[0.95, 0.95], [math.sqrt(0.95)] * 2]))


def test_a_coding_moves_the_centre_and_stretches_the_size() -> None:
    decoder = BoxDecoder(torch.tensor([[0.2, 0.4, 0.6, 1.0]]))  # 0.4 high, 0.6 wide, around (0.4, 0.7)
    torch.testing.assert_close(decoder(torch.zeros(1, 1, 4)), torch.tensor([[[0.2, 0.4, 0.6, 1.0]]]))
    coded = torch.tensor([[[5.0, -10.0, 5 * math.log(0.5), 5 * math.log(2.0)]]])
    torch.testing.assert_close(decoder(coded), torch.tensor([[[0.5, -0.5, 0.7, 0.7]]]))

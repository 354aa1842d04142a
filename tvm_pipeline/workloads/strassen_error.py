"""How much more than a plain product Strassen's is off, by a layer's weights.

Both errors are bounded by sums of products of magnitudes (N. Higham, Accuracy and Stability of Numerical Algorithms,
sections 3.5 and 23.2.2). A plain product's bound for an output channel knows that channel's weights alone. Strassen's
sums join the halves of the channels, in and out: a channel with small weights gets the errors of its other half's.
"""

from collections.abc import Iterator

import numpy as np

LARGEST_GROWTH = 16.0
"""Beyond, the plain product. Weights of one size have 4, those of a trained MobileNetV2 up to 13, where some channels
are all but dead; channels that are rescaled by lognormal factors of sigma 0.75 have 10, of sigma 1 more than 20."""


def growth(weight: np.ndarray) -> float:
    """The bound of an output channel's error as a multiple of a plain product's: the root of the mean square.

    :param weight: ``[C, K]`` with even C and K, filled up as it is packed.
    """
    magnitude = np.abs(weight.astype(np.float64)).T
    return max(_growth(magnitude, activation) for activation in _activations(magnitude))


def _activations(magnitude: np.ndarray) -> Iterator[np.ndarray]:
    """Magnitudes of the input channels, ``[K]``, which weights do not tell: all alike, and all that matter alike."""
    yield np.ones(len(magnitude))
    mean = magnitude.mean(axis=1)
    yield np.divide(1.0, mean, out=np.zeros_like(mean), where=mean > 0)


def _growth(magnitude: np.ndarray, activation: np.ndarray) -> float:
    """``magnitude``: of the weights, ``[K, C]``. A channel without weights has no error to speak of."""
    below, right = magnitude.shape[0] // 2, magnitude.shape[1] // 2
    joined = magnitude[:below] + magnitude[below:]
    bound = (activation[:below] + activation[below:]) @ (joined[:, :right] + joined[:, right:])
    plain = activation @ magnitude
    is_used = plain > 0
    return float(np.sqrt(np.mean(np.square(np.tile(bound, 2)[is_used] / plain[is_used])))) if is_used.any() else 0.0

"""The loss of softmax(W x) with a penalty on each weight, in the two forms that a minimum is looked for in."""

from dataclasses import dataclass

import numpy as np

from vouch.calibration.apply.probabilities import IntArray, log_softmax, softmax
from vouch.calibration.apply.scalar_maps import FloatArray
from vouch.calibration.fit.newton import Loss, newton
from vouch.calibration.fit.truncated_newton import Curvature, LargeLoss, truncated_newton

NEWTON_LIMIT = 300  # parameters: on 2,000 rows a whole curvature of 17 x 18 costs what its products do, beyond it more
DAMPING = 1e-10  # of the curvature alone, where a direction changes no probability: the minimum does not move
CERTAIN = 1e-12  # the least spread of a row that counts: rows may all be certain


@dataclass(frozen=True)
class MatrixLoss:
    """The mean log loss of softmax(W x) plus sum scale W^2, over W of shape (classes, features), laid out flat."""

    design: FloatArray  # (n, features), column by column in memory
    labels: IntArray  # (n,), in [0, classes)
    scale: FloatArray  # (classes, features), not negative

    def minimum(self, start: FloatArray) -> FloatArray:
        """Return the W of the least loss, of the shape of `scale`: by whole curvatures where they are small."""
        if self.scale.size > NEWTON_LIMIT:
            found = truncated_newton(LargeLoss(self.value, self.gradient, self.products), start.ravel())
        else:
            found = newton(Loss(self.value, self.gradient, self.curvature), start.ravel())
        return found.reshape(self.scale.shape)

    def value(self, flat: FloatArray) -> float:
        """Return the loss."""
        weights = flat.reshape(self.scale.shape)
        logs = log_softmax(self.design @ weights.T)
        return float(-np.mean(logs[np.arange(len(logs)), self.labels]) + np.sum(self.scale * weights**2))

    def gradient(self, flat: FloatArray) -> FloatArray:
        """Return its first derivative."""
        weights = flat.reshape(self.scale.shape)
        error = softmax(self.design @ weights.T)
        error[np.arange(len(error)), self.labels] -= 1.0
        return (error.T @ self.design / len(error) + 2 * self.scale * weights).ravel()

    def curvature(self, flat: FloatArray) -> FloatArray:
        """Return its second derivative, whole."""
        shape, n = self.scale.shape, len(self.design)
        shares = softmax(self.design @ flat.reshape(shape).T)
        spread = (shares.T[:, None, :] * self.design.T).reshape(-1, n)  # p_ik x_i, row after row of long lines
        crossed = spread @ spread.T
        whole = -crossed
        single = crossed.reshape(len(crossed), *shape).sum(axis=1)  # shares sum to one: sum_i p_ik x_i x_i'
        for start in range(0, len(whole), shape[1]):
            place = slice(start, start + shape[1])
            whole[place, place] += single[place]
        return whole / n + np.diag(2 * self.scale.ravel() + DAMPING)

    def products(self, flat: FloatArray) -> Curvature:
        """Return its second derivative as products, and an approximate inverse.

        The curvature is the mean over rows of (diag(p) - p p') x x', a Kronecker product for each row. The inverse
        takes one product for all of them, the mean of the first factor and the mean of the second weighted by the
        first one's trace, and one penalty for all weights; two decompositions of K x K numbers then solve it.
        """
        shape, n = self.scale.shape, len(self.design)
        shares = softmax(self.design @ flat.reshape(shape).T)
        ring = 2 * self.scale + DAMPING
        spread = 1.0 - (shares**2).sum(axis=1) + CERTAIN
        between = np.diag(shares.mean(axis=0)) - shares.T @ shares / n
        by_class, classes = np.linalg.eigh(between)
        by_feature, features = np.linalg.eigh((self.design.T * (spread / spread.sum())) @ self.design)
        bends = np.maximum(by_class, 0)[:, None] * np.maximum(by_feature, 0) + np.median(ring)

        def product(flat: FloatArray) -> FloatArray:
            direction = flat.reshape(shape)
            moved = self.design @ direction.T
            moved = shares * (moved - (shares * moved).sum(axis=1, keepdims=True))
            bent: FloatArray = moved.T @ self.design / n + ring * direction
            return bent.ravel()

        def solve_roughly(flat: FloatArray) -> FloatArray:
            solved: FloatArray = classes @ ((classes.T @ flat.reshape(shape) @ features) / bends) @ features.T
            return solved.ravel()

        return Curvature(product, solve_roughly)

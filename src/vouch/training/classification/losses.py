"""What a classifier minimises: cross-entropy, three losses that teach it to be silent, and one for small sets."""

import functools
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor
from torch.nn import functional

from vouch.training.classification import conformal_loss
from vouch.training.classification.heads import Outputs
from vouch.training.classification.params import ConformalRisk, Gamblers, Gatekeeper, Loss, Selective
from vouch.training.optimization.loop import Minimised

FEWEST_EXITS = 1e-6  # a gate that lets nobody out has no rate of errors; this keeps 0 / 0 out


@dataclass(frozen=True)
class Objective:
    """What a loss knows beside a batch: the parameters, class weights float32 (K,), index of the positive class."""

    loss: Loss
    class_weights: Tensor
    positive: int | None


class Memory(TypedDict):
    """What a loss remembers from step to step; a checkpoint keeps it.

    Attributes
    ----------
    dual : the multiplier of the selective loss, 0 or more
    scores : recent scores of the conformal loss, (m,), the latest last
    lam : the level of the last step, None where it was plain cross-entropy
    """

    dual: float
    scores: Tensor
    lam: float | None


def blank() -> Memory:
    """Return the memory before the first step."""
    return {"dual": 0.0, "scores": torch.empty(0), "lam": None}


def minimised(objective: Objective) -> Minimised:
    """Return what the loop of epochs makes small; its curve shows the level of the conformal loss."""

    def loss(outputs: Outputs, class_ids: Tensor, epochs: float, memory: Memory) -> tuple[Tensor, Memory]:
        return total(outputs, class_ids, objective, epochs=epochs, memory=memory)

    return Minimised(loss, blank(), ("lam",) if isinstance(objective.loss, ConformalRisk) else ())


def class_weights(counts: Tensor, kind: str) -> Tensor:
    """Return weights (K,): 1, or N / (K N_c), which is 0 for a class that is absent (it weighs nothing anyway)."""
    if kind == "none":
        return torch.ones(len(counts))
    weights: Tensor = counts.sum() / (len(counts) * counts)
    return weights.where(counts > 0, 0.0)


def cross_entropy(logits: Tensor, class_ids: Tensor, *, weights: Tensor, smoothing: float) -> Tensor:
    """Return the weighted mean cross-entropy with smoothed labels."""
    return functional.cross_entropy(logits, class_ids, weight=weights, label_smoothing=smoothing)


def gatekeeper(logits: Tensor, class_ids: Tensor, *, alpha: float) -> Tensor:
    """Return alpha * mean(right: cross-entropy) + (1 - alpha) * mean(wrong: KL(p || uniform)).

    Who is right is the network's own answer of the moment; no gradient runs through that.

    References
    ----------
    Rabanser et al., arXiv:2502.19335, equations 2 to 4.
    """
    log_p = torch.log_softmax(logits, dim=-1)
    right = logits.argmax(dim=-1) == class_ids
    surprise = -log_p.gather(1, class_ids[:, None])[:, 0]
    from_uniform = (log_p.exp() * log_p).sum(dim=-1) + torch.log(torch.tensor(float(logits.shape[-1])))
    return torch.where(right, alpha * surprise, (1 - alpha) * from_uniform).mean()


def gamblers(logits: Tensor, abstention: Tensor, class_ids: Tensor, *, payoff: float) -> Tensor:
    """Return -mean ln(p_y + p_abstain / payoff) over K + 1 outputs.

    References
    ----------
    Liu et al., "Deep Gamblers", arXiv:1907.00208, equation 5.
    """
    bet = logits.gather(1, class_ids[:, None])[:, 0]
    hedge = abstention - torch.log(torch.tensor(payoff))
    total = torch.logsumexp(torch.cat([logits, abstention[:, None]], dim=1), dim=1)
    return (total - torch.logaddexp(bet, hedge)).mean()


def exit_rate(logits: Tensor, gate: Tensor, class_ids: Tensor, *, positive: int | None) -> Tensor:
    """Return the soft rate of errors among exits, or of misses among exited positives; 0 where nobody could err.

    An exit counts as much as the gate opens, an error as much probability as the true class lacks.
    """
    doors = torch.sigmoid(gate)
    if positive is not None:
        doors = doors * (class_ids == positive)
    lacking = 1 - torch.softmax(logits, dim=-1).gather(1, class_ids[:, None])[:, 0]
    return (doors * lacking).sum() / doors.sum().clamp(min=FEWEST_EXITS)


def ascended(dual: float, rate: float, *, max_rate: float, step: float) -> float:
    """Return the multiplier after one step of dual ascent: it grows while the rate is above its bound."""
    return max(0.0, dual + step * (rate - max_rate))


def total(
    outputs: Outputs, class_ids: Tensor, objective: Objective, *, epochs: float, memory: Memory
) -> tuple[Tensor, Memory]:
    """Return a batch's loss, and what is remembered after it.

    Parameters
    ----------
    outputs : of n photographs
    class_ids : int64 (n,)
    epochs : that are behind, a fraction within one; losses with `after_epochs` begin as cross-entropy
    memory : after the batch before
    """
    loss = objective.loss
    plain = functools.partial(cross_entropy, weights=objective.class_weights, smoothing=loss.smoothing)
    if isinstance(loss, Gatekeeper) and epochs >= loss.after_epochs:
        main = gatekeeper(outputs.logits, class_ids, alpha=loss.alpha)
    elif isinstance(loss, Gamblers) and epochs >= loss.after_epochs:
        assert outputs.abstention is not None
        main = gamblers(outputs.logits, outputs.abstention, class_ids, payoff=loss.payoff)
    else:
        main = plain(outputs.logits, class_ids)
    if isinstance(loss, Selective) and epochs >= loss.after_epochs:
        extra, memory = _selective(outputs, class_ids, objective, loss, memory)
        main = main + extra
    if isinstance(loss, ConformalRisk):
        extra, memory = _conformal(outputs, class_ids, objective, loss, memory, epochs)
        main = main + extra
    if outputs.aux is not None:
        main = main + loss.aux_weight * plain(outputs.aux, class_ids)
    return main, memory


def _selective(
    outputs: Outputs, class_ids: Tensor, objective: Objective, loss: Selective, memory: Memory
) -> tuple[Tensor, Memory]:
    """Return dual * (rate - max_rate)+ - coverage_weight * coverage; the multiplier moves where somebody could err.

    SelectiveNet (arXiv:1901.09192) with its coverage target replaced by a bound on the error of exits; without the
    last term a gate that is always shut would be optimal.
    """
    assert outputs.gate is not None
    dual = memory["dual"]
    rate = exit_rate(outputs.logits, outputs.gate, class_ids, positive=objective.positive)
    extra = dual * (rate - loss.max_rate).clamp(min=0) - loss.coverage_weight * torch.sigmoid(outputs.gate).mean()
    if objective.positive is not None and not bool((class_ids == objective.positive).any()):
        return extra, memory
    moved = ascended(dual, float(rate.detach()), max_rate=loss.max_rate, step=loss.dual_step)
    return extra, {**memory, "dual": moved}


def _conformal(
    outputs: Outputs, class_ids: Tensor, objective: Objective, loss: ConformalRisk, memory: Memory, epochs: float
) -> tuple[Tensor, Memory]:
    """Return the weighted set term, 0 before its epoch and while scores are too few; every batch is remembered."""
    found = None
    if epochs >= loss.after_epochs:
        found = conformal_loss.set_term(outputs.logits, class_ids, memory["scores"], loss, objective.positive)
    own = conformal_loss.scores(outputs.logits, class_ids, positive=objective.positive)
    after: Memory = {**memory, "scores": conformal_loss.pushed(memory["scores"], own, size=loss.queue), "lam": None}
    if found is None:
        return torch.zeros_like(own.sum()), after
    extra, lam = found
    return conformal_loss.weight(loss, epochs) * extra, {**after, "lam": float(lam.detach())}

"""Choosing 1,000 of 100,000 beside a random draw, and what labels are worth: `PYTHONPATH=src python bench/choosing.py`.

The peer of the time draws 1,000 at random and has faiss say how alike each of the 100,000 is to them, on one thread.
The peer of the worth is as many labels at random, in a simulation: twelve classes, the rarest a fortieth of the
commonest, each of two looks, photographed in sessions of twenty that resemble each other; a logistic regression learns
from 400 labels of twenty sessions, then from 120 more.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from sides import in_turns
from vouch.curation.retraining.answers import Said
from vouch.curation.retraining.choosing import Pool, Terms, choose
from vouch.curation.retraining.unlabelled import Gain, Unlabelled, pool_of
from vouch.curation.retraining.weakness import of_classes

RUNS = 3
SEEDS = range(10)
MOST, SESSION, WIDE, LOOKS, CLASSES = 120, 20, 24, 2, 12
USUAL = Gain(
    unsure=1.0, weak=1.0, missed=0.5, diversity=1.0, class_share=0.5, stratum_share=0.7, per_group=5, level=0.95,
    correlation=0.05, seed=1,
)  # fmt: skip


def unit(looks):
    """Return rows of length 1 about their mean."""
    looks = looks - looks.mean(axis=1, keepdims=True)
    return (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32)


def crowd(count):
    """Candidates of 500 looks and twelve classes, in 400 groups and two strata."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(500, 256))
    looks = unit(centres[rng.integers(0, 500, count)] + 0.7 * rng.normal(size=(count, 256)))
    sure = rng.beta(4, 1, count)
    bits = -(sure * np.log2(sure) + (1 - sure) * np.log2(1 - sure))
    share = 1 / np.arange(1, 13)
    classes = rng.choice(12, count, p=share / share.sum())
    strata = np.stack([rng.integers(0, 2, count), rng.integers(2, 4, count)], axis=1)
    return Pool(bits, classes, strata, rng.integers(0, 400, (count, 1)), looks)


def beside_random(count, most):
    """Return the seconds of choosing, and of a random choice with its distances."""
    import faiss

    faiss.omp_set_num_threads(1)
    pool = crowd(count)
    terms = Terms(np.linspace(0.1, 0.9, 12), most / 12, 1.0, most // 2, most * 7 // 10, 20)

    def at_random():
        chosen = np.random.default_rng(1).choice(count, most, replace=False)
        index = faiss.IndexFlatIP(256)
        index.add(pool.looks[chosen])
        index.search(pool.looks, 1)

    def by_gain():
        choose(pool, terms, most=most, rng=np.random.default_rng(1))

    _, seconds = in_turns({"chosen": by_gain, "random": at_random}, RUNS)
    return seconds["chosen"], seconds["random"]


def world(seed):
    """Return a function that photographs sessions: looks, classes and sessions of so many."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLASSES, LOOKS, WIDE))
    share = 1 / np.arange(1, CLASSES + 1) ** 1.5

    def photographed(sessions):
        classes = np.repeat(rng.choice(CLASSES, sessions, p=share / share.sum()), SESSION)
        looks = np.repeat(rng.integers(0, LOOKS, sessions), SESSION)
        offset = np.repeat(0.5 * rng.normal(size=(sessions, WIDE)), SESSION, axis=0)
        seen = centres[classes, looks] + offset + 0.35 * rng.normal(size=(len(classes), WIDE))
        return seen, classes, np.repeat(np.arange(sessions), SESSION)

    return photographed


def learned(seen, classes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(max_iter=300).fit(seen, classes)


def macro_recall(model, seen, classes):
    right = model.predict(seen) == classes
    return float(np.mean([right[classes == name].mean() for name in np.unique(classes)]))


def worth(seed):
    """Return the macro recall before, after labels that are chosen, and after as many at random (mean of three)."""
    photographed = world(seed)
    train, select, pool, test = (photographed(count) for count in (20, 30, 200, 400))
    model = learned(*train[:2])
    said = model.predict(select[0])
    rows = pd.DataFrame({"class_true": select[1].astype(str), "group": select[2], "hit": said == select[1]})
    weak = of_classes(rows, level=USUAL.level, correlation=USUAL.correlation)
    sure, names = model.predict_proba(pool[0]).max(axis=1), model.predict(pool[0])
    found = [
        Unlabelled(str(place), said=Said(str(name), float(share), None, True), groups={"session": str(session)})
        for place, (name, share, session) in enumerate(zip(names, sure, pool[2], strict=True))
    ]
    arrays, terms = pool_of(found, unit(pool[0]), weak, {}, USUAL, most=MOST)
    chosen = choose(arrays, terms, most=MOST, rng=np.random.default_rng(seed)).index
    draws = [np.random.default_rng([seed, draw]).choice(len(found), MOST, replace=False) for draw in range(3)]

    def after(picked):
        both = [np.concatenate([train[part], pool[part][picked]]) for part in (0, 1)]
        return macro_recall(learned(*both), *test[:2])

    return macro_recall(model, *test[:2]), after(chosen), float(np.mean([after(draw) for draw in draws]))


def main():
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    ours, peer = beside_random(100_000, 1_000)
    told = "1,000 of 100,000 chosen, against a random draw with faiss's distances"
    print(f"| {told} | {ours:.1f} s | {peer:.1f} s | {ours / peer:.2f} | <= 3 |")
    before, chosen, random = np.mean([worth(seed) for seed in SEEDS], axis=0)
    told = f"recall of a class after {MOST} labels that were chosen, against random ones ({before:.3f} before)"
    print(f"| {told} | {chosen:.3f} | {random:.3f} | {chosen / random:.2f} | > 1 |")


if __name__ == "__main__":
    main()

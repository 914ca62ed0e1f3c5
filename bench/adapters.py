"""A training step of DoRAN against peft's DoRA: the same ViT, photographs, layers and rank, one thread.

Both adapt the fused qkv of every block, with about as many weights: DoRAN its rows of q and v (k stays), DoRA all.
is forward, backward and AdamW over the adapters; its time is the processor's, for one thread does the work. Both sides
are checked to start from the same features. Two rows: without dropout, and with it, where peft multiplies by W0 twice.
Run: PYTHONPATH=src python bench/adapters.py
"""

import time
from functools import partial

import torch
from pydantic import TypeAdapter

from sides import in_turns
from vouch.training.backbones import adapters, timm_backbone
from vouch.training.backbones.params import Adapters

NAME, SIDE_PX, BLOCKS, BATCH, WARM, RUNS = "vit_small_patch16_224", 112, 6, 8, 2, 9
RANK, GOAL = 8, 1.15
BESIDE = {"rank": RANK, "alpha": 2.0 * RANK, "blocks": BLOCKS, "targets": ("qkv",)}
OWN = {"dora": {}, "doran": {"hidden": RANK, "tau": 0.01}}


def network(kind, dropout):
    torch.manual_seed(1)
    built = timm_backbone.build(timm_backbone.describe(NAME, {"depth": BLOCKS}, SIDE_PX))
    wanted = {"kind": kind, "dropout": dropout} | BESIDE | OWN[kind]
    adapters.inject(built, TypeAdapter(Adapters).validate_python(wanted))
    return built


def step(built, optimizer, images):
    optimizer.zero_grad()
    loss = built(images).square().mean()
    loss.backward()
    optimizer.step()


def measure(dropout, images):
    sides = {}
    for kind in OWN:
        built = network(kind, dropout)
        learning = [one for one in built.parameters() if one.requires_grad]
        sides[kind] = (built, torch.optim.AdamW(learning, lr=1e-4, fused=True))
    with torch.no_grad():
        answers = [built.eval()(images) for built, _ in sides.values()]
    if not torch.equal(*answers):
        raise SystemExit("bench: the sides start from other features")
    steps = {kind: partial(step, built.train(), optimizer, images) for kind, (built, optimizer) in sides.items()}
    in_turns(steps, WARM)
    _, seconds = in_turns(steps, RUNS, clock=time.process_time)
    weights = {kind: sum(one.numel() for one in side[1].param_groups[0]["params"]) for kind, side in sides.items()}
    return seconds, weights


def main():
    torch.set_num_threads(1)
    images = torch.rand(BATCH, 3, SIDE_PX, SIDE_PX, generator=torch.Generator().manual_seed(0))
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    for dropout in (0.0, 0.1):
        took, weights = measure(dropout, images)
        print(
            f"| training step of DoRAN ({weights['doran']:,} weights learn), {BATCH} photographs at {SIDE_PX} px, "
            f"{NAME} with {BLOCKS} blocks, rank {RANK}, dropout {dropout}, against peft's DoRA ({weights['dora']:,}) | "
            f"{1000 * took['doran']:.0f} ms | {1000 * took['dora']:.0f} ms | {took['doran'] / took['dora']:.2f} | "
            f"<= {GOAL} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

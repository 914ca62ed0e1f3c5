"""Everything that can lie at a kerb: how it is painted, how much room it takes, how it may lie."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from vouch.scenes import boards, bystanders, films, lying, organics, receptacles, sprites, vessels
from vouch.scenes.draw import Canvas
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera
from vouch.scenes.sprites import Sprite

Brush = Callable[[Canvas, Camera, Lying, int], None]


@dataclass(frozen=True)
class Habit:
    """How a kind of thing lies: half its width and depth in metres, how often upright, how far it dents."""

    half_m: tuple[float, float]
    upright: float
    dents: float  # of the most worn one, 0 to 1
    brush: Brush | None  # None for solids of revolution


CLASSES: dict[str, str] = {  # and the stream that each belongs to; a battery has none and is found among the rest
    "newspaper": "paper",
    "cardboard_box": "paper",
    "plastic_bottle": "plastic",
    "glass_bottle": "glass",
    "glass_jar": "glass",
    "yoghurt_pot": "plastic",
    "plastic_bag": "residual",
    "food_can": "metal",
    "drink_can": "metal",
    "food_waste": "organic",
    "garden_cuttings": "organic",
    "nappy": "residual",
    "battery": "residual",
}
HABITS: dict[str, Habit] = {
    "newspaper": Habit((0.19, 0.16), 0.0, 0.0, boards.newspaper),
    "cardboard_box": Habit((0.24, 0.20), 0.0, 0.0, boards.cardboard_box),
    "plastic_bottle": Habit((0.13, 0.09), 0.3, 0.5, None),
    "glass_bottle": Habit((0.13, 0.09), 0.35, 0.0, None),
    "glass_jar": Habit((0.08, 0.07), 0.55, 0.0, None),
    "yoghurt_pot": Habit((0.07, 0.06), 0.5, 0.28, None),
    "plastic_bag": Habit((0.17, 0.12), 0.0, 0.0, films.plastic_bag),
    "food_can": Habit((0.07, 0.06), 0.5, 0.18, None),
    "drink_can": Habit((0.08, 0.06), 0.4, 0.42, None),
    "food_waste": Habit((0.14, 0.09), 0.0, 0.0, organics.food_waste),
    "garden_cuttings": Habit((0.24, 0.13), 0.0, 0.0, organics.garden_cuttings),
    "nappy": Habit((0.10, 0.08), 0.0, 0.0, films.nappy),
    "battery": Habit((0.07, 0.05), 0.25, 0.0, None),
}
NEGATIVES: dict[str, Habit] = {
    "leaves": Habit((0.24, 0.20), 0.0, 0.0, organics.leaves),
    "ball": Habit((0.10, 0.08), 0.0, 0.0, bystanders.ball),
    "car": Habit((0.16, 0.08), 0.0, 0.0, bystanders.car),
    "bear": Habit((0.12, 0.09), 0.0, 0.0, bystanders.bear),
    "bricks": Habit((0.17, 0.15), 0.0, 0.0, bystanders.bricks),
    "flask": Habit((0.13, 0.09), 0.5, 0.0, None),
    "torch": Habit((0.11, 0.08), 0.1, 0.0, None),
    "hammer": Habit((0.17, 0.12), 0.0, 0.0, bystanders.hammer),
    "spanner": Habit((0.17, 0.12), 0.0, 0.0, bystanders.spanner),
    "spade": Habit((0.18, 0.12), 0.0, 0.0, bystanders.spade),
    "bucket": Habit((0.14, 0.13), 1.0, 0.0, bystanders.bucket),
    "flower_pot": Habit((0.09, 0.08), 0.7, 0.0, None),
    "stone": Habit((0.12, 0.09), 0.0, 0.0, bystanders.stone),
    "bollard": Habit((0.09, 0.08), 1.0, 0.0, bystanders.bollard),
    "hydrant": Habit((0.13, 0.1), 1.0, 0.0, bystanders.hydrant),
    "planter": Habit((0.26, 0.2), 1.0, 0.0, bystanders.planter),
    "cover": Habit((0.27, 0.27), 0.0, 0.0, bystanders.cover),
    "sack": Habit((0.27, 0.2), 1.0, 0.0, receptacles.closed_sack),
}
LOW = frozenset({"leaves", "cover", "newspaper", "hammer", "spanner", "spade"})  # too flat to throw a shadow
EVERY = HABITS | NEGATIVES


def painted(paper: Canvas, view: Camera, thing: Lying, light_rad: float, owner: int) -> None:
    """Paint a thing where it lies, with its shadow."""
    habit = EVERY[thing.kind]
    if thing.kind not in LOW:
        wide, deep = habit.half_m
        half = (wide * 0.55 if thing.upright else wide * 0.9, max(deep * 0.75, 0.05))
        lying.shadow(paper, view, thing, half, -0.05 if light_rad > 0 else 0.05)
    if habit.brush is not None:
        habit.brush(paper, view, thing, owner)
        return
    scale = view.focal / thing.z_m * thing.size * float(paper.frame[0, 0])
    squash = round(lying.depth_per_width(view, thing), 3)
    sprite, turn, rise = solid(thing, round(scale), squash, light_rad)
    x, y = paper.frame[:, :2] @ lying.foot(view, thing) + paper.frame[:, 2]
    sprites.put(paper, sprite, (float(x), float(y) - rise), angle_rad=turn, owner=owner)


@lru_cache(maxsize=64)
def solid(thing: Lying, px_per_m: int, squash: float, light_rad: float) -> tuple[Sprite, float, float]:
    """Return a solid of revolution as it lies, its turn, and how far its middle is over the ground in canvas pixels."""
    rng = lying.stream(thing)
    made = vessels.SOLIDS[thing.kind](rng)
    roll = float(rng.random())
    pose = sprites.standing(squash, roll) if thing.upright else sprites.lying(thing.heading_rad, squash, roll)
    sprite = sprites.revolved(made, pose, px_per_m, light_rad)
    dents = thing.wear * EVERY[thing.kind].dents
    dirt = thing.wear * 0.45 if thing.label else 0.1
    reach = made.outline_m[-1][0] * pose.stretch if thing.upright else made.outline_m[1][1]
    rise = reach * px_per_m / 2
    return sprites.worn(sprite, rng, dents, dirt), pose.angle_rad + thing.lean_rad, float(rise)

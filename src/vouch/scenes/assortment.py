"""The products of a chain of stores: containers whose label designs differ in small things.

A family is three known products of one brand, alike but for one thing: the colour of a band, the emblem, or a word. The
products that nobody listed are further members of some families, brands of their own, and containers of other kinds.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vouch.scenes import draw, forms
from vouch.scenes.draw import Colour

BANDS: dict[str, Colour] = {
    "red": (206, 32, 40),
    "blue": (26, 84, 190),
    "green": (34, 142, 62),
    "gold": (238, 190, 34),
    "violet": (128, 50, 160),
    "orange": (240, 122, 24),
    "black": (28, 28, 32),
    "pink": (240, 130, 172),
    "teal": (22, 168, 170),
    "brown": (110, 64, 34),
}
EMBLEMS = ("star", "leaf", "drop", "bolt", "crown", "heart", "moon", "ring", "diamond", "sun")
WORDS = ("ZERO", "LITE", "PURE", "MINT", "WILD", "DARK", "SOFT", "PLUM", "KIWI", "OATS", "HERB", "CAFE")
GROUNDS: tuple[Colour, ...] = (
    (238, 232, 214),
    (190, 34, 40),
    (30, 58, 116),
    (36, 92, 60),
    (42, 42, 46),
    (236, 200, 60),
    (226, 130, 40),
    (150, 196, 222),
    (120, 64, 130),
    (196, 200, 204),
    (232, 178, 188),
    (176, 204, 120),
)
# Form of the family, and what its products differ by: nine bottles, nine cans, six glasses.
FAMILIES = (
    ("pet", "band"),
    ("long", "emblem"),
    ("wide", "word"),
    ("can", "word"),
    ("slim", "emblem"),
    ("tin", "band"),
    ("jar", "band"),
    ("tall_jar", "word"),
)
PER_FAMILY = 3
# Nobody listed these: a fourth of a family by its number, or a brand of its own by its form.
UNKNOWN_OF_CALIB: tuple[int | str, ...] = (0, 4, 7, "wide", "carton", "tub")
UNKNOWN_OF_TEST: tuple[int | str, ...] = (6, 1, 3, "tin", "carton", "pouch")
LOOSE_FORMS = ("carton", "tub", "pouch", "brick")  # of containers whose product nobody recorded
DIFFERENT = 110.0  # least distance of two colours of which one lies on the other, in steps of 255


@dataclass(frozen=True)
class Design:
    """A product's look. `differs` is what tells it from its twins: band, emblem or word."""

    name: str  # "" where nobody recorded the product
    family: int
    form: str
    differs: str
    brand: str
    body: Colour  # of the glass, the drink, the carton
    cap: Colour
    ground: Colour  # of the label
    ink: Colour
    band: Colour
    emblem: str
    word: str

    @property
    def container(self) -> str:
        """The class that a detector is to find."""
        return forms.FORMS[self.form].container


@dataclass(frozen=True)
class Assortment:
    """Which products there are: 24 that are known, six unknown ones to choose a threshold with, six to judge it."""

    known: tuple[Design, ...]
    unknown: dict[str, tuple[Design, ...]]  # split that the stores state: their unknown products


@lru_cache(maxsize=4)
def assortment(seed: int) -> Assortment:
    """Return the products of a seed; another seed has other brands and looks."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 77]))
    own = [place for place in UNKNOWN_OF_CALIB + UNKNOWN_OF_TEST if isinstance(place, str)]
    brands = _brands(rng, len(FAMILIES) + len(own))
    grounds = [GROUNDS[index] for index in rng.permutation(len(GROUNDS))]
    families = [
        _family(rng, number, form, differs, brands[number], grounds[number])
        for number, (form, differs) in enumerate(FAMILIES)
    ]
    singles = iter(
        _single(rng, len(FAMILIES) + index, form, brands[len(FAMILIES) + index], grounds[(8 + index) % len(grounds)])
        for index, form in enumerate(own)
    )
    used = [0] * len(FAMILIES)
    chosen: dict[str, tuple[Design, ...]] = {}
    for split, places in (("val_calib", UNKNOWN_OF_CALIB), ("val_test", UNKNOWN_OF_TEST)):
        found = []
        for place in places:
            if isinstance(place, str):
                found.append(next(singles))
            else:
                found.append(families[place][PER_FAMILY + used[place]])
                used[place] += 1
        chosen[split] = tuple(found)
    return Assortment(tuple(design for family in families for design in family[:PER_FAMILY]), chosen)


def unrecorded(rng: np.random.Generator) -> Design:
    """Draw a container of which nobody recorded what it is: each store has its own."""
    ground = GROUNDS[rng.integers(len(GROUNDS))]
    form = str(rng.choice(LOOSE_FORMS))
    return replace(_single(rng, -1, form, _brands(rng, 1)[0], ground), name="")


def _brands(rng: np.random.Generator, count: int) -> list[str]:
    """Draw names of two syllables, each once."""
    syllables = [first + second for first in "BDFGKLMNPRSTVZ" for second in "AEIOU"]
    found: list[str] = []
    while len(found) < count:
        name = "".join(syllables[index] for index in rng.integers(len(syllables), size=2))
        found += [] if name in found else [name]
    return found


def _family(rng: np.random.Generator, number: int, form: str, differs: str, brand: str, colour: Colour) -> list[Design]:
    """Return four products of a brand, of which the last is not among the known ones."""
    first = _single(rng, number, form, brand, colour)
    choices = {
        "band": [name for name in BANDS if _apart(BANDS[name], first.ground)],
        "emblem": list(EMBLEMS),
        "word": list(WORDS),
    }[differs]
    chosen = [choices[index] for index in rng.permutation(len(choices))[: PER_FAMILY + 1]]
    return [_twin(first, differs, value) for value in chosen]


def _twin(first: Design, differs: str, value: str) -> Design:
    named = replace(first, differs=differs, name=f"{first.brand}_{value}".lower())
    if differs == "band":
        return replace(named, band=BANDS[value])
    return replace(named, emblem=value) if differs == "emblem" else replace(named, word=value)


def _single(rng: np.random.Generator, family: int, form: str, brand: str, colour: Colour) -> Design:
    ground = draw.varied(rng, colour, 14)
    bands = [name for name in BANDS if _apart(BANDS[name], ground)]
    shape = forms.FORMS[form]
    return Design(
        name=f"{brand}_{form}".lower(),
        family=family,
        form=form,
        differs=str(rng.choice(["band", "emblem", "word"])),
        brand=brand,
        body=draw.one_of(rng, shape.bodies, 12),
        cap=draw.one_of(rng, shape.caps, 12),
        ground=ground,
        ink=(248, 246, 240) if sum(ground) < 400 else (34, 30, 34),
        band=BANDS[str(rng.choice(bands))],
        emblem=str(rng.choice(EMBLEMS)),
        word=str(rng.choice(WORDS)),
    )


def _apart(first: Colour, second: Colour) -> bool:
    return float(np.linalg.norm(np.subtract(first, second))) > DIFFERENT

"""A store: what it stocks, what its shelves look like, how it is lit, and the camera of whoever checks it."""

from dataclasses import dataclass

import numpy as np

from vouch.scenes import assortment, draw
from vouch.scenes.assortment import Assortment, Design
from vouch.scenes.draw import Colour
from vouch.scenes.photo import Light

FORMATS = ("kiosk", "supermarket", "discounter")
LIGHTINGS = ("daylight", "fluorescent", "dim")
STOCKED = {"kiosk": (12, 17), "supermarket": (19, 24), "discounter": (15, 20)}  # known products, least and most
FEWER = 0.6  # times as many of them where there are unknown ones too
FACINGS = {"kiosk": (1, 2), "supermarket": (2, 3), "discounter": (2, 4)}  # of a product side by side
BEHIND_GLASS = {"kiosk": 0.5, "supermarket": 0.15, "discounter": 0.1}  # share of stores that keep them in a cooler
AMBIENT: dict[str, Colour] = {
    "daylight": (0.98, 1.00, 1.04),
    "fluorescent": (0.97, 1.02, 0.93),
    "dim": (0.60, 0.55, 0.49),
}
NOISE = {"daylight": (1.5, 3.0), "fluorescent": (2.0, 3.5), "dim": (3.5, 6.0)}  # standard deviation, steps of 255
_METALS: tuple[Colour, ...] = ((214, 214, 210), (176, 178, 182), (96, 98, 104), (60, 62, 66))
_WOODS: tuple[Colour, ...] = ((176, 134, 90), (120, 84, 56))
_TAGS: tuple[Colour, ...] = ((250, 248, 240), (252, 226, 60), (250, 250, 250), (255, 206, 170))
_RAILS: tuple[Colour, ...] = ((226, 226, 222), (196, 40, 40), (40, 84, 160), (70, 72, 76), (40, 130, 80))


@dataclass(frozen=True)
class Store:
    """What stays the same in a store, over all its sessions."""

    kind: str  # one of FORMATS
    lighting: str
    stock: tuple[Design, ...]  # as they stand on its shelves, twins side by side
    board: Colour
    back: Colour
    rail: Colour
    tag: Colour
    glass: bool
    facings: tuple[int, int]
    fullness: float  # share of the facings that are not sold out
    neatness: float  # 1: all in line; 0: turned, pushed back, uneven
    eye: float  # height of the camera, as a fraction of the picture from the top
    balance: Colour  # gain of each colour channel
    saturation: float
    exposure: float
    vignette: float
    noise: float
    window: float  # where the light comes from: -1 left, 1 right
    quality: int  # of its JPEG files


def store(rng: np.random.Generator, kind: str, lighting: str, products: Assortment, stated: str | None) -> Store:
    """Draw a store; only one that states a split stocks unknown products, those of that split."""
    frames = _METALS + _WOODS if kind == "kiosk" else _METALS
    board = draw.one_of(rng, frames, 12)
    return Store(
        kind=kind,
        lighting=lighting,
        stock=_stock(rng, kind, products, stated),
        board=board,
        back=draw.mix(draw.one_of(rng, frames, 12), (20, 20, 22), float(rng.uniform(0.0, 0.6))),
        rail=draw.one_of(rng, _RAILS, 12),
        tag=draw.one_of(rng, _TAGS, 5),
        glass=bool(rng.random() < BEHIND_GLASS[kind]),
        facings=FACINGS[kind],
        fullness=float(rng.uniform(0.84, 0.98)),
        neatness=float(rng.uniform(0.2, 1.0)),
        eye=float(rng.uniform(-0.1, 0.7)),
        balance=_balance(rng),
        saturation=float(rng.uniform(0.82, 1.08)),
        exposure=float(np.exp(rng.normal(0.0, 0.08))),
        vignette=float(rng.uniform(0.05, 0.3)),
        noise=float(rng.uniform(*NOISE[lighting])),
        window=float(rng.uniform(-1, 1)),
        quality=int(rng.integers(84, 95)),
    )


def _balance(rng: np.random.Generator) -> Colour:
    red, green, blue = np.exp(rng.normal(0.0, 0.035, 3))
    return float(red), float(green), float(blue)


def _stock(rng: np.random.Generator, kind: str, products: Assortment, stated: str | None) -> tuple[Design, ...]:
    """Draw what is stocked: some known products, most of the unknown ones told, containers that nobody recorded."""
    least, most = (round(count * (FEWER if stated is not None else 1.0)) for count in STOCKED[kind])
    known = [products.known[index] for index in rng.permutation(len(products.known))[: rng.integers(least, most + 1)]]
    unknown = products.unknown[stated] if stated is not None else ()
    missing = int(rng.integers(len(unknown))) if unknown else -1  # each store lacks one of the six
    told = [design for index, design in enumerate(unknown) if index != missing]
    loose = [assortment.unrecorded(rng) for _ in range(int(rng.integers(3, 6)))]
    order = {family: place for place, family in enumerate(rng.permutation(64).tolist())}
    return tuple(sorted(known + told + loose, key=lambda design: order.get(design.family, 64)))


def light(look: Store, rng: np.random.Generator, blur_rate: float) -> Light:
    """Draw how one photograph is lit and taken; some are out of focus or shaken, as often as `blur_rate` says each."""
    blurred = rng.random(2) < blur_rate
    red, green, blue = (float(gain) for gain in np.multiply(AMBIENT[look.lighting], look.balance))
    return Light(
        ambient=(red, green, blue),
        lamps=1.0,
        bloom=0.3,
        saturation=look.saturation * (0.85 if look.lighting == "dim" else 1.0),
        exposure=look.exposure * float(np.exp(rng.normal(0.0, 0.05))),
        vignette=look.vignette,
        noise=look.noise,
        defocus_px=float(rng.uniform(0.6, 1.2)) if blurred[0] else float(rng.uniform(0.0, 0.45)),
        motion_px=float(rng.uniform(1.5, 3.2)) if blurred[1] else 0.0,
        motion_rad=float(rng.normal(0.0, 0.6)),
    )

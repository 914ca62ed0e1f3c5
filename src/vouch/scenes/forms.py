"""The forms of containers: outline, label, cap, in millimetres from the middle of the base."""

from dataclasses import dataclass

from vouch.scenes.draw import Colour

BOTTLE, CAN, GLASS, OTHER = CONTAINERS = ("bottle", "can", "glass", "unknown_container")
METAL: Colour = (186, 188, 192)


@dataclass(frozen=True)
class Form:
    """A container seen from the front."""

    container: str
    outline: tuple[tuple[float, float], ...]  # height over the base and half width, rising
    label: tuple[float, float]  # from and to which height
    cap: tuple[float, float]  # the same; lid, crown cap, rim
    is_round: bool
    gloss: float  # strength of its highlights, 0 to 1
    bodies: tuple[Colour, ...]
    caps: tuple[Colour, ...]

    @property
    def height_mm(self) -> float:
        """From the base to the top."""
        return self.outline[-1][0]

    @property
    def half_mm(self) -> float:
        """Half of the largest width."""
        return max(half for _, half in self.outline)


_PLASTIC: tuple[Colour, ...] = ((176, 208, 222), (190, 214, 204), (214, 222, 226))
_BROWN: tuple[Colour, ...] = ((92, 54, 26), (52, 84, 44))
_DRINK: tuple[Colour, ...] = ((176, 104, 40), (206, 150, 60), (150, 60, 48))
_FILL: tuple[Colour, ...] = ((132, 28, 40), (206, 140, 34), (116, 128, 58), (120, 66, 34))
_CARD: tuple[Colour, ...] = ((240, 238, 232), (226, 228, 230))
_CAPS: tuple[Colour, ...] = ((236, 236, 236), (40, 90, 180), (196, 40, 44), (40, 40, 44), (70, 140, 70))
_LIDS: tuple[Colour, ...] = ((200, 170, 90), (196, 196, 200), (170, 40, 40), (50, 90, 60))
_RIM: tuple[Colour, ...] = (METAL,)

FORMS = {
    "pet": Form(
        BOTTLE,
        ((0, 29), (4, 33), (132, 33), (155, 30), (186, 15), (204, 13), (206, 16), (210, 13), (230, 14)),
        (46, 128),
        (212, 230),
        True,
        0.8,
        _PLASTIC,
        _CAPS,
    ),
    "long": Form(
        BOTTLE,
        ((0, 30), (3, 32), (134, 32), (160, 23), (186, 15), (230, 13), (232, 15), (242, 14)),
        (30, 122),
        (230, 242),
        True,
        0.9,
        _BROWN,
        _LIDS,
    ),
    "wide": Form(
        BOTTLE,
        ((0, 35), (5, 38), (136, 38), (160, 27), (178, 18), (190, 17), (192, 20), (214, 20)),
        (34, 130),
        (192, 214),
        True,
        0.7,
        _DRINK,
        _CAPS,
    ),
    "can": Form(CAN, ((0, 26), (8, 33), (108, 33), (120, 27), (123, 27)), (6, 113), (117, 123), True, 0.9, _RIM, _RIM),
    "slim": Form(CAN, ((0, 23), (8, 28), (130, 28), (142, 23), (145, 23)), (6, 134), (139, 145), True, 0.9, _RIM, _RIM),
    "tin": Form(CAN, ((0, 38), (3, 37), (107, 37), (110, 38)), (5, 105), (106, 110), True, 0.4, _RIM, _RIM),
    "jar": Form(GLASS, ((0, 36), (6, 40), (84, 40), (92, 35), (112, 35)), (16, 78), (93, 112), True, 0.9, _FILL, _LIDS),
    "tall_jar": Form(
        GLASS,
        ((0, 33), (6, 36), (122, 36), (134, 30), (154, 30)),
        (24, 112),
        (135, 154),
        True,
        0.9,
        _FILL,
        _LIDS,
    ),
    "carton": Form(
        OTHER, ((0, 37), (184, 37), (210, 35), (211, 37), (228, 37)), (0, 184), (211, 228), False, 0.15, _CARD, _CARD
    ),
    "brick": Form(OTHER, ((0, 31), (118, 31)), (0, 118), (114, 118), False, 0.15, _CARD, _CARD),
    "tub": Form(OTHER, ((0, 40), (74, 50), (75, 54), (88, 54)), (4, 72), (75, 88), True, 0.3, _CARD, _CAPS),
    "pouch": Form(
        OTHER,
        ((0, 40), (10, 46), (70, 43), (140, 46), (160, 48), (172, 48)),
        (14, 156),
        (160, 172),
        False,
        0.5,
        _CARD + _FILL,
        _CARD,
    ),
}

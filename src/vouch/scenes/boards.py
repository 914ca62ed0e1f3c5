"""Paper and cardboard at the kerb: newspapers, boxes."""

import cv2
import numpy as np

from vouch.scenes import draw, emblems, lying
from vouch.scenes.draw import Canvas, Colour, polygon
from vouch.scenes.lying import Lying, Points
from vouch.scenes.perspective import Camera
from vouch.scenes.sprites import Pixels, clouds
from vouch.scenes.vessels import LOUD, WORDS

NEWSPRINT: Colour = (222, 218, 206)
BOARD: tuple[Colour, ...] = ((186, 146, 100), (170, 130, 88), (198, 162, 118), (150, 116, 82))
INK: Colour = (40, 40, 44)


def newspaper(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a folded newspaper or a stack of them: headline, columns, a picture."""
    rng = lying.stream(thing)
    wide, deep = rng.uniform(0.26, 0.32), rng.uniform(0.34, 0.42)
    copies = 1 if rng.random() < 0.5 else int(rng.integers(3, 9))
    for copy in range(copies):
        last, high = copy == copies - 1, 0.012 * (copy + 1)
        turn = float(rng.normal(0, 0.05 if last else 0.1))
        one = lying.Lying(
            **{**thing.__dict__, "heading_rad": thing.heading_rad + turn, "lift_m": thing.lift_m + high - 0.012}
        )
        ends = lying.corners(view, one, (wide, deep, 0.012))
        for number, side in lying.sides(view, one, ends):
            polygon(paper, side, draw.mix(NEWSPRINT, (70, 66, 60), 0.25 + 0.12 * (number % 2)), owner=owner)
        top = ends[1][[3, 2, 1, 0]]
        if last:
            lying.face(paper, top, _page(rng, thing.wear), owner=owner)
        else:
            polygon(paper, top, draw.mix(NEWSPRINT, (120, 116, 108), 0.3), owner=owner)
    if copies > 2 and rng.random() < 0.5:  # tied up
        top = np.asarray(top)
        for first, second in ((0, 1), (1, 2)):
            middle = [(top[first] + top[second]) / 2, (top[(first + 2) % 4] + top[(second + 2) % 4]) / 2]
            polygon(paper, draw.stroke(middle, 1.6), (196, 160, 110), owner=owner)


def _page(rng: np.random.Generator, wear: float) -> Pixels:
    """Return a printed page."""
    page = lying.sheet((200, 150), draw.varied(rng, NEWSPRINT, 10))
    ink = INK if rng.random() < 0.7 else draw.one_of(rng, LOUD, 10)
    if rng.random() < 0.3:
        page[8:34, 8:142] = np.asarray(ink, np.uint8)
        emblems.lettered(page, WORDS[rng.integers(len(WORDS))], (75, 11, 31), 56, (240, 238, 230))
    else:
        emblems.lettered(page, WORDS[rng.integers(len(WORDS))], (75, 8, 34), 62, ink)
    page[38:40, 8:142] = np.asarray(INK, np.uint8)
    photo_top, photo_left = int(rng.integers(46, 110)), int(rng.choice([8, 56]))
    for column in range(3):
        x = 8 + 47 * column
        for y in range(46, 192, 5):
            end = x + int(rng.integers(26, 42))
            page[y : y + 2, x:end] = np.asarray(draw.mix(NEWSPRINT, INK, 0.62), np.uint8)
    grey = draw.varied(rng, (120, 124, 130), 50)
    block = page[photo_top : photo_top + 52, photo_left : photo_left + 86]
    block[:] = np.clip(np.asarray(grey) + 50 * clouds(rng, block.shape[:2], 4)[:, :, None], 0, 255).astype(np.uint8)
    page[:, 73:76] = (page[:, 73:76] * 0.8).astype(np.uint8)  # the fold
    folds = 1.0 + np.float32(0.12 + 0.25 * wear) * clouds(rng, page.shape[:2], 4)
    return np.clip(page * folds[:, :, None], 0, 255).astype(np.uint8)


def cardboard_box(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a box of brown board: closed with tape, open with its flaps out, or pressed flat."""
    rng = lying.stream(thing)
    board = draw.one_of(rng, BOARD, 12)
    form = rng.random()
    size = (rng.uniform(0.26, 0.46), rng.uniform(0.2, 0.34), rng.uniform(0.12, 0.28))
    if form < 0.2:
        size = (size[0] * 1.25, size[1] * 1.5, 0.03)
    ends = lying.corners(view, thing, size)
    print_ = _print(rng, board)
    for number, side in lying.sides(view, thing, ends):
        lying.face(paper, side, print_, shade=(1.0, 0.78, 0.7, 0.82)[number], owner=owner)
    top: Points = ends[1][[3, 2, 1, 0]]
    if form < 0.6:
        lying.face(paper, top, _lid(rng, board), shade=1.1, owner=owner)
    else:
        _open(paper, top, board, rng, owner)


def _print(rng: np.random.Generator, board: Colour) -> Pixels:
    """Return a side: board with a mark, words or a band."""
    side = lying.sheet((100, 150), board)
    ink = draw.mix(board, INK, 0.75) if rng.random() < 0.6 else draw.one_of(rng, LOUD, 14)
    if rng.random() < 0.35:
        side[62:88] = np.asarray(ink, np.uint8)
    elif rng.random() < 0.8:
        emblems.lettered(side, WORDS[rng.integers(len(WORDS))], (75, 24, 64), 52, ink)
    for x in (112, 128):  # this side up
        cv2.arrowedLine(side, (x, 92), (x, 72), draw.mix(board, INK, 0.7), 3, cv2.LINE_AA, 0, 0.4)
    stains = 1.0 + np.float32(0.13) * clouds(rng, (100, 150), 5)
    return np.clip(side * stains[:, :, None], 0, 255).astype(np.uint8)


def _lid(rng: np.random.Generator, board: Colour) -> Pixels:
    lid = lying.sheet((100, 150), board)
    tape = draw.mix(board, ((226, 206, 160), (120, 84, 50), (240, 240, 236))[rng.integers(3)], 0.7)
    lid[42:58] = np.asarray(tape, np.uint8)
    lid[49:51] = (lid[49:51] * 0.75).astype(np.uint8)
    if rng.random() < 0.5:
        lid[12:38, 96:136] = np.asarray((236, 234, 228), np.uint8)  # an address
        for y in range(16, 36, 5):
            lid[y : y + 2, 100 : int(rng.integers(112, 132))] = np.asarray(INK, np.uint8)
    stains = 1.0 + np.float32(0.1) * clouds(rng, (100, 150), 4)
    return np.clip(lid * stains[:, :, None], 0, 255).astype(np.uint8)


def _open(paper: Canvas, top: Points, board: Colour, rng: np.random.Generator, owner: int) -> None:
    """Paint the dark inside of a box and its flaps, which lean outwards."""
    polygon(paper, top, draw.mix(board, (20, 14, 8), 0.75), to=draw.mix(board, (20, 14, 8), 0.45), owner=owner)
    middle = top.mean(axis=0)
    for first in (0, 1, 3, 2):  # the far one first, the near one last
        second = (first + 1) % 4
        if rng.random() < 0.15:
            continue  # torn off
        edge = np.stack([top[first], top[second]])
        out = (edge.mean(axis=0) - middle) * rng.uniform(0.5, 0.95)
        hang = np.array([0.0, abs(out[0]) * 0.35 * rng.uniform(-0.6, 1.0)])
        inset = (edge[1] - edge[0]) * 0.05
        flap = np.stack([edge[0], edge[1], edge[1] - inset + out + hang, edge[0] + inset + out + hang])
        tone = draw.mix(board, (255, 240, 210) if first in (0, 3) else (60, 44, 26), rng.uniform(0.12, 0.3))
        polygon(paper, flap, tone, to=draw.mix(tone, (40, 28, 16), 0.18), owner=owner)

from dataclasses import dataclass

import numpy as np

from vouch.scenes import randomness


@dataclass(frozen=True)
class Section:
    seed: int
    first_group: int


def drawn(seed, kind, first_group, number, use):
    return int(randomness.of_picture(Section(seed, first_group), kind, number, use).integers(2**62))


def test_a_picture_has_the_stream_that_its_words_name_in_their_order():
    expected = np.random.Generator(np.random.PCG64([7, 2, 40, 3, 1])).integers(2**62)
    assert drawn(7, 2, 40, 3, 1) == expected


def test_another_word_is_another_stream():
    words = [(7, 2, 40, 3, 1), (8, 2, 40, 3, 1), (7, 3, 40, 3, 1), (7, 2, 41, 3, 1), (7, 2, 40, 4, 1), (7, 2, 40, 3, 2)]
    assert len({drawn(*word) for word in words}) == len(words)

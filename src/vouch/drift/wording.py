"""What a comparison used, and why a test says that nothing moved, in words for terminal and page."""

from vouch.drift.verdict import TESTS, Finding, Judgement


def used(found: Judgement) -> list[str]:
    """Say how many of the photographs given were compared, and why not all; nothing where all were."""
    said, known, new = [], found.reference, found.window
    of_known, of_new = found.thinned.given
    if (len(known.names), len(new.names)) != (of_known, of_new):
        said.append(
            f"compared: {len(new.names)} of {of_new} new photographs, {len(known.names)} of {of_known} of val_calib; "
            f"at most {found.thinned.most} of a group, {found.thinned.why}, because groups of one and groups of fifty "
            "cannot change places"
        )
    if found.sampled not in (None, (len(known.names), len(new.names))):
        some_known, some_new = found.sampled
        said.append(
            f"embeddings as a whole and the classifier saw whole groups chosen at random: {some_new} new photographs, "
            f"{some_known} of val_calib"
        )
    return said


def verdict(one: Finding) -> str:
    """Say whether something moved, and where not, which of the two conditions was not met."""
    if one.moved:
        return "moved"
    if one.large:
        return "may be chance"
    return "too small" if one.sure else "as before"


def unmet(one: Finding, level: float) -> str:
    """Say, where one of the two conditions of drift alone was met, which one was not; nothing elsewhere."""
    result = one.result
    of = f"{TESTS[one.test]}, {result.variable}: {result.measure} {result.effect:.3f}"
    if one.large and not one.sure:
        return (
            f"{of} is beyond {result.limit:.3f}, and chance is not ruled out: p of all {one.adjusted:.3f} > {level:g}"
        )
    if one.sure and not one.large:
        return f"{of} is more than chance (p of all {one.adjusted:.3f}), and within the limit of {result.limit:.3f}"
    return ""


def limit_of_chance(one: Finding) -> str:
    """Say why a limit is not the one that was asked for; nothing where it is."""
    if one.result.asked is None:
        return ""
    return (
        f"{TESTS[one.test]}, {one.result.variable}: the limit asked is {one.result.asked:g}; so few photographs reach "
        f"{one.result.limit:.3f} in one of 100 divisions by chance, so that is the limit"
    )

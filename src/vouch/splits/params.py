"""What params.yaml says of how a data set is divided."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from vouch.params import Section


def _once(splits: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(splits)) != len(splits):
        raise ValueError("each split once")
    return splits


Home = Literal["val_calib", "val_test"]  # splits that may show products which no other shows
Word = Annotated[str, Field(min_length=1)]
Meaning = Annotated[
    tuple[Literal["train", "val_select", "val_calib", "val_test"], ...], Field(min_length=1), AfterValidator(_once)
]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Fractions(Section):
    """Wanted share of each split."""

    train: Fraction
    val_select: Fraction
    val_calib: Fraction
    val_test: Fraction

    @model_validator(mode="after")
    def _complete(self) -> Self:
        total = sum(self.model_dump().values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"fractions must add up to 1, they add up to {total:g}")
        return self


class Splitting(Section):
    """How a data set is divided."""

    fractions: Fractions
    seed: int  # breaks ties between equally good splits
    bridge: Literal["refuse", "quarantine"]  # what to do with a photograph that would join two locked splits
    # word that photographs state: splits that a new group with it may go to; {}: none mean any
    stated: dict[Word, Meaning]
    unknown_products: dict[Home, tuple[Word, ...]]  # that this split alone may show

    @model_validator(mode="after")
    def _one_home(self) -> Self:
        both = set(self.unknown_products.get("val_calib", ())) & set(self.unknown_products.get("val_test", ()))
        if both:
            raise ValueError(f"an unknown product has one split, {', '.join(sorted(both))} has two")
        return self

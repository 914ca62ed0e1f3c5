"""What params.yaml says of a gate, on a model or a system: its rules, what they need, and what may fail."""

from typing import ClassVar, Self

from pydantic import model_validator

from vouch.evaluation.gates.rules import Rule, Waiver, rule_faults
from vouch.params import Section


class Gate(Section):
    """Rules on the metrics files that a gate reads; whose they are says `SOURCES`."""

    SOURCES: ClassVar[tuple[str, ...]]

    required: dict[str, tuple[str, ...]]
    rules: dict[str, Rule]
    waivers: dict[str, Waiver]
    summary: tuple[str, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unread = [name for name, rule in self.rules.items() if rule.source not in self.SOURCES]
        faults = [f"rule {name}: source is one of {', '.join(self.SOURCES)}" for name in unread]
        if faults := faults + rule_faults(self.rules, required=self.required, waivers=self.waivers):
            raise ValueError("; ".join(faults))
        return self

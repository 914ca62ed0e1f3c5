"""The templates of all pages, and what they call: every value is escaped, a missing one is an error."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vouch.report import formatting, verdict

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "number": formatting.number,
    "percent": formatting.percent,
    "signed": formatting.signed,
    "interval": formatting.interval,
    "p_value": formatting.p_value,
    "stratum": formatting.stratum,
    "metric": formatting.metric,
    "svg": Markup,  # figures.py escapes what it writes
}
ENVIRONMENT.globals |= {"share": formatting.share, "verdicts": verdict.VERDICTS}

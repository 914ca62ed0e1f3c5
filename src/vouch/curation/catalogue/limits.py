"""What an answer of the web may take; apart from `fetching`, so that commands read it without a library for the web."""

from typing import Annotated

from pydantic import Field

from vouch.params import Section


class Limits(Section):
    """`curate.fetch`: what an answer of the web may take."""

    connect_s: Annotated[float, Field(gt=0, le=600)]
    silence_s: Annotated[float, Field(gt=0, le=600)]  # between two pieces of an answer
    answer_s: Annotated[float, Field(gt=0, le=3600)]  # all of it, the connection included
    json_megabytes: Annotated[float, Field(gt=0, le=1000)]
    photograph_megabytes: Annotated[float, Field(gt=0, le=1000)]
    redirects: Annotated[int, Field(ge=0, le=20)]
    tries: Annotated[int, Field(ge=1, le=20)]
    wait_s: Annotated[float, Field(gt=0, le=60)]  # before the second try; each further wait is twice as long
    pages: Annotated[int, Field(ge=1, le=100_000)]  # of one JSON source
    cache_s: Annotated[float, Field(gt=0)]  # how long an answer is taken from the cache

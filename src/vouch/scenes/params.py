"""Types of the parameters of scenes."""

from typing import Annotated

from pydantic import Field

Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]

"""The base of every configuration model."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen model in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

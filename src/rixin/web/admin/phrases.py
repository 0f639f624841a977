"""What the admin API says in English, for those who say it in another language."""

from pydantic import BaseModel, ConfigDict


class PhraseView(BaseModel):
    """A sentence of the answer, by its code and what is put into it."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    parameters: dict[str, str]
    """`name_zh` is what a parameter called `name` is in Chinese, where that differs."""

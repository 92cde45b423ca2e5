"""What settings are made of: the kinds of values, each checked by itself, and the section that refuses unknown keys.
It holds no setting."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, WithJsonSchema

REFERENCE_PATTERN = r"^\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})$"
DEAREST_USD_PER_MILLION = 100_000
"""No model is near it: whoever writes more has the unit wrong."""


def section(value: Any) -> Any:
    """`ollama:` with nothing behind it is a section where everything has its default."""
    return {} if value is None else value


def _decimal(value: Any) -> Any:
    """Prices may be written as numbers or as strings; either way every digit counts."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("a number")  # noqa: TRY004 - pydantic turns ValueError into a problem
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError("a number") from None


def _float(value: Any) -> Any:
    """The file's numbers come as int or Decimal; what is not money is counted in floats."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("a number")  # noqa: TRY004 - see above
    return float(value)


def _no_slash_at_the_end(value: str) -> str:
    return value.rstrip("/")


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
ProviderName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Usd = Annotated[Decimal, Field(ge=0, lt=DEAREST_USD_PER_MILLION), BeforeValidator(_decimal)]
Multiple = Annotated[Decimal, Field(gt=0, le=1_000_000), BeforeValidator(_decimal)]
Region = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_float)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False), BeforeValidator(_float)]
Secret = Annotated[SecretStr, WithJsonSchema({"type": "string", "pattern": REFERENCE_PATTERN})]
Url = Annotated[str, Field(min_length=1), AfterValidator(_no_slash_at_the_end)]
"""Its form is checked once `$NAME` is replaced, in checks.py."""
DialectName = Literal["openai-chat", "openai-responses", "anthropic-messages", "gemini", "ollama"]
Tokens = Annotated[int, Field(gt=0, le=1_000_000_000)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

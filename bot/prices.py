"""What a model's tokens cost, where the operator has said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens that a model reads, writes, and reads from its cache."""

    prompt: float
    completion: float
    cached: float


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of models by the beginning of their name; the longest that fits is a model's own."""

    models: Mapping[str, Price] = field(default_factory=dict)

    def cost(self, model: str, prompt: int | None, completion: int | None, cached: int | None) -> float | None:
        """Return what a call cost in US dollars; None when its model has no price, or no tokens were counted."""
        names = [name for name in self.models if model.startswith(name)]
        if not names or prompt is None:
            return None
        price = self.models[max(names, key=len)]
        from_cache = min(cached or 0, prompt)
        paid = (prompt - from_cache) * price.prompt + from_cache * price.cached + (completion or 0) * price.completion
        return paid / _MILLION


def read_prices(text: str) -> Prices:
    """Read prices such as `gpt-5.4-mini=0.25/2.00, other=1/4/0.1`. Raises ValueError that says what is wrong."""
    models: dict[str, Price] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, figures = part.partition("=")
        try:
            prompt, completion, *rest = map(float, figures.split("/"))
            (cached,) = rest or (prompt,)
        except ValueError:
            raise ValueError(f"\u201c{part}\u201d is not model=prompt/completion, or with /cached behind it") from None
        if not name.strip() or not all(0 <= figure < _MILLION for figure in (prompt, completion, cached)):
            raise ValueError(f"\u201c{part}\u201d has no name of a model, or a price that cannot be")
        models[name.strip()] = Price(prompt, completion, cached)
    return Prices(models)

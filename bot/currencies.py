"""How many decimals the currencies have, by ISO 4217: two, but for those named here."""

WITHOUT_DECIMALS = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}) | frozenset(
    {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def exponent(currency: str) -> int:
    """Return how many decimals an amount in the currency has."""
    return 0 if currency in WITHOUT_DECIMALS else 3 if currency in THOUSANDTHS else 2

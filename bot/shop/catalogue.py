"""What the demo's shop sells, and what its customers pay with and where they live."""

from typing import NamedTuple

from bot.shop.orders import Address


class SampleVariant(NamedTuple):
    """One choice of a product, its price in cents; `sold_as` is how the sample orders name it, if any does."""

    id: str
    options: str
    price: int
    stock: int
    sold_as: str = ""


class SampleMethod(NamedTuple):
    """What a customer pays with; the balance is a gift card's, in cents."""

    id: str
    label: str
    balance: int | None = None


PRODUCTS: dict[str, tuple[SampleVariant, ...]] = {
    "Stoneware mug": (
        SampleVariant("mug-slate", "slate blue", 1800, 14, "Stoneware mug, slate blue"),
        SampleVariant("mug-moss", "moss green", 1800, 9),
        SampleVariant("mug-large", "sand, large", 2150, 3),
    ),
    "Cast-iron teapot": (
        SampleVariant("teapot-08", "0.8 l, black", 4200, 6, "Cast-iron teapot, 0.8 l"),
        SampleVariant("teapot-08-red", "0.8 l, red", 4200, 2),
        SampleVariant("teapot-12", "1.2 l, black", 5450, 4),
        SampleVariant("teapot-05", "0.5 l, black", 3300, 5),
        SampleVariant("teapot-12-red", "1.2 l, red", 5450, 0),
    ),
    "Beeswax candles": (
        SampleVariant("candles-pair", "pair", 1450, 40, "Beeswax candles, pair"),
        SampleVariant("candles-tall", "pair, tall", 1725, 12),
        SampleVariant("candles-tea", "twelve tea lights", 1200, 25),
    ),
    "Pour-over coffee dripper": (
        SampleVariant("dripper-white", "white", 2900, 8, "Pour-over coffee dripper"),
        SampleVariant("dripper-copper", "copper", 4400, 3),
    ),
    "Desk lamp": (
        SampleVariant("lamp-brass", "brass", 12950, 4, "Desk lamp, brass"),
        SampleVariant("lamp-black", "black", 11900, 6),
    ),
    "Ceramic planter": (
        SampleVariant("planter-large", "large", 5200, 5, "Ceramic planter, large"),
        SampleVariant("planter-small", "small", 3150, 11),
    ),
    "Rain jacket": (
        SampleVariant("jacket-s", "size S, ochre", 14800, 3, "Rain jacket, size S, ochre"),
        SampleVariant("jacket-m", "size M, ochre", 14800, 4),
        SampleVariant("jacket-l", "size L, ochre", 14800, 0),
    ),
    "Linen shirt": (
        SampleVariant("shirt-m", "size M, white", 7200, 7),
        SampleVariant("shirt-l", "size L, white", 7200, 2, "Linen shirt, size L, white"),
    ),
    "Merino socks": (
        SampleVariant("socks-m", "size M, grey", 1900, 30, "Merino socks, size M, grey"),
        SampleVariant("socks-l", "size L, grey", 1900, 22),
    ),
}
METHODS: dict[str, tuple[SampleMethod, ...]] = {
    "ana@example.com": (
        SampleMethod("pm-ana-gift", "Gift card ending 7731", 6000),
        SampleMethod("pm-ana-paypal", "PayPal ana@…"),
        SampleMethod("pm-ana-visa", "Visa ending 4242"),
    ),
    "ben@example.com": (
        SampleMethod("pm-ben-gift", "Gift card ending 2204", 500),
        SampleMethod("pm-ben-mastercard", "Mastercard ending 5454"),
    ),
    "chloe@example.com": (
        SampleMethod("pm-chloe-amex", "Amex ending 1005"),
        SampleMethod("pm-chloe-gift", "Gift card ending 9110", 2500),
    ),
}
ADDRESSES = {
    "ana@example.com": Address("Ana Ruiz", "412 Maple Avenue, Apt 3", "Salt Lake City", "UT", "84102", "US"),
    "ben@example.com": Address("Ben Okafor", "90 Larimer Street", "Denver", "CO", "80205", "US"),
    "chloe@example.com": Address("Chloe Martin", "7 Church Street", "Burlington", "VT", "05401", "US"),
}

"""Find what the shop sells, in which variants, at which price."""

from pydantic import Field

from bot.shop.orders import Product
from bot.shop.shop import Reading
from bot.tools.arguments import Words
from bot.tools.tool import Context, Tool, ToolError, ToolResult

MAX_PRODUCTS = 5
MAX_VARIANTS = 30
MAX_NAME_CHARACTERS = 150


class FindProducts(Tool):
    """Find products by name, with variants: id, options, price, number in stock. Call it before items are swapped."""

    public = True
    reads = Reading.PRODUCTS
    query: Words = Field(description="Words of the product's name, without the options.")

    def progress(self) -> str:
        """Say that products are being looked for."""
        return "is looking for products…"

    async def run(self, context: Context) -> ToolResult:
        """Find them."""
        found = await context.shop.products(self.query, most=MAX_PRODUCTS)
        if not found:
            raise ToolError(
                "There is no such product.", "Try one word of its name, as it stands in get_order_status, or ask."
            )
        return ToolResult(content={"products": [_describe(product) for product in found]})


def _describe(product: Product) -> dict[str, object]:
    described: dict[str, object] = {
        "name": product.name[:MAX_NAME_CHARACTERS],
        "variants": [
            {
                "variant": one.id,
                "options": one.options[:MAX_NAME_CHARACTERS],
                "price": str(one.price),
                "in_stock": one.in_stock,
            }
            for one in product.variants[:MAX_VARIANTS]
        ],
    }
    more = len(product.variants) - MAX_VARIANTS
    return described | ({"variants_left_out": more} if more > 0 else {})

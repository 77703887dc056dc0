"""A real Vendure server as a process of its own, filled through its public API with what the tests ask about."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiohttp import ClientSession

MODULES = os.environ.get("SUPPORT_BOT_VENDURE", "")  # the folder in which `npm install @vendure/core sql.js` was run
SCRIPT = Path(__file__).with_name("server.cjs")
START_SECONDS = 60
Json = dict[str, Any]


def why_not() -> str | None:
    """Return why no Vendure can be started here; None when it can."""
    if not shutil.which("node"):
        return "needs Node"
    if not MODULES or not (Path(MODULES) / "node_modules/@vendure/core").is_dir():
        return "needs SUPPORT_BOT_VENDURE: a folder in which `npm install @vendure/core@3.7.3 sql.js@1.14.2` was run"
    return None


@dataclass(slots=True)
class Api:
    """One of Vendure's two GraphQL APIs, as one person or with one key."""

    session: ClientSession
    url: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, document: str, **variables: Any) -> Json:
        """Send a document, keep the session that it may have begun, and return its data."""
        body = {"query": document, "variables": variables}
        async with self.session.post(self.url, json=body, headers=self.headers) as response:
            if token := response.headers.get("vendure-auth-token"):
                self.headers["Authorization"] = f"Bearer {token}"
            answer = await response.json()
        if answer.get("errors"):
            raise AssertionError(json.dumps(answer["errors"])[:2000])
        data: Json = answer["data"]
        if refused := [result for result in data.values() if isinstance(result, dict) and "message" in result]:
            raise AssertionError(json.dumps(refused))
        return data


@dataclass(frozen=True, slots=True)
class VendureServer:
    """A server that runs: where it is, the key for the adapter, and an administrator."""

    url: str
    api_key: str
    admin: Api

    async def sell(
        self,
        email: str,
        prices: Sequence[int],
        *,
        currency: str = "USD",
        name: str = "Mug",
        payments: Sequence[Mapping[str, Any]] = ({},),
        ship: Literal["nothing", "shipped", "delivered"] = "nothing",
    ) -> str:
        """Place an order of one new product for each price (in hundredths) and return its code.

        A payment's `refunds` says how its refunds end, its `amount` how much of the order it pays.
        """
        variants = await self._variants(prices, currency, name)
        shop = Api(self.admin.session, f"{self.url}/shop-api?currencyCode={currency}")
        for variant in variants:
            await shop.ask(ADD, id=variant)
        await shop.ask(WHO, email=email, first=email.partition("@")[0].title())
        await shop.ask(WHERE)
        methods = (await shop.ask("{eligibleShippingMethods{id}}"))["eligibleShippingMethods"]
        await shop.ask(HOW, id=[methods[0]["id"]])
        await shop.ask('mutation{transitionOrderToState(state:"ArrangingPayment"){__typename}}')
        paid = [(await shop.ask(PAY, metadata=dict(payment)))["addPaymentToOrder"] for payment in payments]
        assert "code" in paid[-1], paid
        code: str = paid[-1]["code"]
        if ship != "nothing":
            await self._ship(code, delivered=ship == "delivered")
        return code

    async def fill_cart(self) -> str:
        """Put something into a cart that is not paid, and return its code."""
        (variant,) = await self._variants([4200], "USD", "Mug")
        shop = Api(self.admin.session, f"{self.url}/shop-api?currencyCode=USD")
        await shop.ask(ADD, id=variant)
        code: str = (await shop.ask("{activeOrder{code}}"))["activeOrder"]["code"]
        return code

    async def given_back(self, code: str) -> int:
        """Return how much went back or is about to, in hundredths."""
        order = (await self.admin.ask(BOOKS, code=code))["orders"]["items"][0]
        refunds = [refund for payment in order["payments"] for refund in payment["refunds"]]
        return sum(refund["total"] for refund in refunds if refund["state"] != "Failed")

    async def give_line_back(self, code: str, number: int) -> None:
        """Refund a line as the shop's own people do, in Vendure's dashboard."""
        order = (await self.admin.ask(BOOKS, code=code))["orders"]["items"][0]
        line = {"orderLineId": order["lines"][number - 1]["id"], "quantity": 1}
        sent = {"paymentId": order["payments"][0]["id"], "lines": [line], "shipping": 0, "adjustment": 0}
        await self.admin.ask(BY_PEOPLE, input=sent | {"reason": "by staff"})

    async def _variants(self, prices: Sequence[int], currency: str, name: str) -> list[str]:
        inputs = [
            {"enabled": True, "translations": [{"languageCode": "en", "name": name, "slug": "p", "description": ""}]}
            for _ in prices
        ]
        products = [(await self.admin.ask(PRODUCT, input=one))["createProduct"]["id"] for one in inputs]
        variants = [
            {
                "productId": product,
                "sku": f"SKU-{product}",
                "stockOnHand": 1000,
                "price": price,
                "translations": [{"languageCode": "en", "name": name}],
            }
            for product, price in zip(products, prices, strict=True)
        ]
        made = (await self.admin.ask(VARIANTS, input=variants))["createProductVariants"]
        ids = [variant["id"] for variant in made]
        priced = [
            {"id": variant, "prices": [{"currencyCode": currency, "price": price}]}
            for variant, price in zip(ids, prices, strict=True)
        ]
        await self.admin.ask(PRICES, input=priced)
        return ids

    async def _ship(self, code: str, *, delivered: bool) -> None:
        order = (await self.admin.ask(BOOKS, code=code))["orders"]["items"][0]
        lines = [{"orderLineId": line["id"], "quantity": 1} for line in order["lines"]]
        made = (await self.admin.ask(FULFIL, lines=lines))["addFulfillmentToOrder"]
        for state in ("Shipped", "Delivered") if delivered else ("Shipped",):
            await self.admin.ask(MOVE, id=made["id"], state=state)


@asynccontextmanager
async def vendure() -> AsyncIterator[VendureServer]:
    """Start a server, fill it with two products and a way to pay and to ship, and end it with its data."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *("node", str(SCRIPT), str(port)),
        cwd=MODULES,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await _ready(process)
        async with ClientSession() as session:
            url = f"http://127.0.0.1:{port}"
            yield await _filled(url, Api(session, f"{url}/admin-api"))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout
    seen = []
    async for line in process.stdout:
        seen.append(line.decode())
        if line.startswith(b"ready"):
            return
    raise AssertionError("Vendure did not start:\n" + "".join(seen[-20:]))


async def _filled(url: str, admin: Api) -> VendureServer:
    await admin.ask('mutation{login(username:"superadmin",password:"superadmin"){__typename}}')
    zone = (await admin.ask('mutation{createZone(input:{name:"World"}){id}}'))["createZone"]["id"]
    country = (await admin.ask(COUNTRY))["createCountry"]["id"]
    await admin.ask("mutation($z:ID!,$c:[ID!]!){addMembersToZone(zoneId:$z,memberIds:$c){id}}", z=zone, c=[country])
    tax = (await admin.ask('mutation{createTaxCategory(input:{name:"None",isDefault:true}){id}}'))["createTaxCategory"][
        "id"
    ]
    await admin.ask(TAX, zone=zone, category=tax)
    channel = (await admin.ask("{activeChannel{id}}"))["activeChannel"]["id"]
    await admin.ask(CHANNEL, id=channel, zone=zone)
    await admin.ask(SHIPPING)
    await admin.ask(PAYMENT)
    return VendureServer(url, await _api_key(admin), admin)


async def _api_key(admin: Api) -> str:
    """Make a key that may do what README tells an operator to allow, and no more."""
    return await key_with(admin, "ReadOrder", "UpdateOrder", "ReadCustomer")


async def key_with(admin: Api, *permissions: str) -> str:
    """Make a key of a role with these permissions."""
    role = (await admin.ask(ROLE, code="-".join(permissions), permissions=list(permissions)))["createRole"]["id"]
    key: str = (await admin.ask(KEY, roles=[role]))["createApiKey"]["apiKey"]
    return key


ADD = """mutation($id:ID!){addItemToOrder(productVariantId:$id,quantity:1){
  __typename ...on ErrorResult{message}}}"""
WHO = """mutation($email:String!,$first:String!){
  setCustomerForOrder(input:{emailAddress:$email,firstName:$first,lastName:"Test"}){
  __typename ...on ErrorResult{message}}}"""
WHERE = """mutation{setOrderShippingAddress(input:{fullName:"Ana Ruiz",streetLine1:"1 Main St",city:"Springfield",
  province:"IL",postalCode:"62701",countryCode:"US"}){__typename ...on ErrorResult{message}}}"""
HOW = "mutation($id:[ID!]!){setOrderShippingMethod(shippingMethodId:$id){__typename}}"
PAY = """mutation($metadata:JSON!){addPaymentToOrder(input:{method:"test-payments",metadata:$metadata}){
  __typename ...on Order{code state} ...on ErrorResult{message}}}"""
BOOKS = """query($code:String!){orders(options:{filter:{code:{eq:$code}}}){items{
  id lines{id} payments{id refunds{state total}}}}}"""
BY_PEOPLE = """mutation($input:RefundOrderInput!){refundOrder(input:$input){
  __typename ...on ErrorResult{message}}}"""
FULFIL = """mutation($lines:[OrderLineInput!]!){addFulfillmentToOrder(input:{lines:$lines,handler:{
  code:"manual-fulfillment",arguments:[{name:"method",value:"UPS"},{name:"trackingCode",value:"TRACK-1"}]}}){
  __typename ...on Fulfillment{id} ...on ErrorResult{message}}}"""
MOVE = "mutation($id:ID!,$state:String!){transitionFulfillmentToState(id:$id,state:$state){__typename}}"
COUNTRY = """mutation{createCountry(input:{code:"US",enabled:true,
  translations:[{languageCode:en,name:"United States"}]}){id}}"""
CATEGORY = 'mutation{createTaxCategory(input:{name:"None",isDefault:true}){id}}'
TAX = """mutation($zone:ID!,$category:ID!){createTaxRate(input:{name:"None",enabled:true,value:0,categoryId:$category,
  zoneId:$zone}){id}}"""
CHANNEL = """mutation($id:ID!,$zone:ID!){updateChannel(input:{id:$id,defaultTaxZoneId:$zone,
  defaultShippingZoneId:$zone,pricesIncludeTax:true,defaultCurrencyCode:USD,availableCurrencyCodes:[USD,JPY,KWD]}){
  __typename ...on ErrorResult{message}}}"""
SHIPPING = """mutation{createShippingMethod(input:{code:"standard",fulfillmentHandler:"manual-fulfillment",
  checker:{code:"default-shipping-eligibility-checker",arguments:[{name:"orderMinimum",value:"0"}]},
  calculator:{code:"default-shipping-calculator",arguments:[{name:"rate",value:"500"},{name:"taxRate",value:"0"},
  {name:"includesTax",value:"auto"}]},translations:[{languageCode:en,name:"Standard",description:""}]}){id}}"""
PAYMENT = """mutation{createPaymentMethod(input:{code:"test-payments",enabled:true,handler:{code:"test-payments",
  arguments:[]},translations:[{languageCode:en,name:"Card ending in 4242",description:""}]}){id}}"""
PRODUCT = "mutation($input:CreateProductInput!){createProduct(input:$input){id}}"
VARIANTS = "mutation($input:[CreateProductVariantInput!]!){createProductVariants(input:$input){id sku}}"
PRICES = "mutation($input:[UpdateProductVariantInput!]!){updateProductVariants(input:$input){id}}"
ROLE = """mutation($code:String!,$permissions:[Permission!]!){createRole(input:{code:$code,description:"Support bot",
  permissions:$permissions}){id}}"""
KEY = """mutation($roles:[ID!]!){createApiKey(input:{roleIds:$roles,translations:[{languageCode:en,
  name:"Support bot"}]}){apiKey}}"""

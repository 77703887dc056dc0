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
from typing import Any

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
        return data


@dataclass(frozen=True, slots=True)
class Vendure:
    """A server that runs: where it is, the key for the adapter, and what was sold by its code."""

    url: str
    api_key: str
    admin: Api
    variants: Mapping[str, str]

    async def sell(
        self,
        email: str,
        lines: Mapping[str, int],
        *,
        payments: Sequence[Mapping[str, Any]] = ({},),
        fulfil: Mapping[str, int] | None = None,
    ) -> str:
        """Place an order through the shop's API and return its code; `fulfil` are lines that are shipped at once.

        A payment's `refunds` says how its refunds end, its `amount` how much of the order it pays.
        """
        shop = Api(self.admin.session, f"{self.url}/shop-api")
        for name, quantity in lines.items():
            await shop.ask(ADD, id=self.variants[name], quantity=quantity)
        await shop.ask(WHO, email=email, first=email.partition("@")[0].title())
        await shop.ask(WHERE)
        methods = (await shop.ask("{eligibleShippingMethods{id}}"))["eligibleShippingMethods"]
        await shop.ask(
            "mutation($id:[ID!]!){setOrderShippingMethod(shippingMethodId:$id){__typename}}", id=[methods[0]["id"]]
        )
        await shop.ask('mutation{transitionOrderToState(state:"ArrangingPayment"){__typename}}')
        paid = [(await shop.ask(PAY, metadata=dict(payment)))["addPaymentToOrder"] for payment in payments]
        code: str = paid[-1]["code"]
        if fulfil:
            await self.fulfil(code, {name: fulfil[name] for name in fulfil})
        return code

    async def fulfil(self, code: str, lines: Mapping[str, int], *, deliver: bool = True) -> None:
        """Ship lines of an order, and have them delivered."""
        order = (await self.admin.ask(ORDER, code=code))["orders"]["items"][0]
        ids = {line["productVariant"]["id"]: line["id"] for line in order["lines"]}
        shipped = [{"orderLineId": ids[self.variants[name]], "quantity": count} for name, count in lines.items()]
        made = (await self.admin.ask(FULFIL, lines=shipped, tracking="TRACK-1"))["addFulfillmentToOrder"]
        for state in ("Shipped", "Delivered")[: 2 if deliver else 1]:
            await self.admin.ask(
                "mutation($id:ID!,$state:String!){transitionFulfillmentToState(id:$id,state:$state){__typename}}",
                id=made["id"],
                state=state,
            )


@asynccontextmanager
async def vendure(currency: str = "USD") -> AsyncIterator[Vendure]:
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
            yield await _filled(url, Api(session, f"{url}/admin-api"), currency)
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


async def _filled(url: str, admin: Api, currency: str) -> Vendure:
    await admin.ask('mutation{login(username:"superadmin",password:"superadmin"){__typename}}')
    zone = (await admin.ask('mutation{createZone(input:{name:"World"}){id}}'))["createZone"]["id"]
    country = (await admin.ask(COUNTRY))["createCountry"]["id"]
    await admin.ask("mutation($z:ID!,$c:[ID!]!){addMembersToZone(zoneId:$z,memberIds:$c){id}}", z=zone, c=[country])
    tax = (await admin.ask('mutation{createTaxCategory(input:{name:"None",isDefault:true}){id}}'))["createTaxCategory"][
        "id"
    ]
    await admin.ask(TAX, zone=zone, category=tax)
    channel = (await admin.ask("{activeChannel{id}}"))["activeChannel"]["id"]
    await admin.ask(CHANNEL, id=channel, zone=zone, currency=currency)
    await admin.ask(SHIPPING)
    await admin.ask(PAYMENT)
    product = (await admin.ask(PRODUCT))["createProduct"]["id"]
    group = (await admin.ask(OPTIONS))["createProductOptionGroup"]
    await admin.ask(
        "mutation($p:ID!,$g:ID!){addOptionGroupToProduct(productId:$p,optionGroupId:$g){id}}", p=product, g=group["id"]
    )
    options = {option["code"]: option["id"] for option in group["options"]}
    variants = [
        {
            "productId": product,
            "sku": f"MUG-{code.upper()}",
            "price": price,
            "stockOnHand": 1000,
            "optionIds": [options[code]],
            "translations": [{"languageCode": "en", "name": f"Mug {code}"}],
        }
        for code, price in (("blue", 4200), ("red", 1000))
    ]
    made = (await admin.ask(VARIANTS, input=variants))["createProductVariants"]
    key = await _api_key(admin)
    return Vendure(url, key, admin, {variant["sku"]: variant["id"] for variant in made})


async def _api_key(admin: Api) -> str:
    """Make a key that may do what README tells an operator to allow, and no more."""
    permissions = ["ReadOrder", "UpdateOrder", "ReadCustomer"]
    role = (await admin.ask(ROLE, permissions=permissions))["createRole"]["id"]
    key: str = (await admin.ask(KEY, roles=[role]))["createApiKey"]["apiKey"]
    return key


ADD = """mutation($id:ID!,$quantity:Int!){addItemToOrder(productVariantId:$id,quantity:$quantity){
  __typename ...on ErrorResult{message}}}"""
HOW = "mutation($id:[ID!]!){setOrderShippingMethod(shippingMethodId:$id){__typename}}"
CATEGORY = 'mutation{createTaxCategory(input:{name:"None",isDefault:true}){id}}'
WITH_OPTIONS = """mutation($product:ID!,$group:ID!){addOptionGroupToProduct(productId:$product,
  optionGroupId:$group){id}}"""
WHO = """mutation($email:String!,$first:String!){
  setCustomerForOrder(input:{emailAddress:$email,firstName:$first,lastName:"Test"}){
  __typename ...on ErrorResult{message}}}"""
WHERE = """mutation{setOrderShippingAddress(input:{fullName:"Ana Ruiz",streetLine1:"1 Main St",city:"Springfield",
  province:"IL",postalCode:"62701",countryCode:"US"}){__typename ...on ErrorResult{message}}}"""
PAY = """mutation($metadata:JSON!){addPaymentToOrder(input:{method:"test-payments",metadata:$metadata}){
  __typename ...on Order{code state} ...on ErrorResult{message}}}"""
ORDER = """query($code:String!){orders(options:{filter:{code:{eq:$code}}}){items{id lines{id productVariant{id}}}}}"""
FULFIL = """mutation($lines:[OrderLineInput!]!,$tracking:String!){addFulfillmentToOrder(input:{lines:$lines,handler:{
  code:"manual-fulfillment",arguments:[{name:"method",value:"UPS"},{name:"trackingCode",value:$tracking}]}}){
  __typename ...on Fulfillment{id} ...on ErrorResult{message}}}"""
COUNTRY = """mutation{createCountry(input:{code:"US",enabled:true,
  translations:[{languageCode:en,name:"United States"}]}){id}}"""
TAX = """mutation($zone:ID!,$category:ID!){createTaxRate(input:{name:"None",enabled:true,value:0,categoryId:$category,
  zoneId:$zone}){id}}"""
CHANNEL = """mutation($id:ID!,$zone:ID!,$currency:CurrencyCode!){updateChannel(input:{id:$id,defaultTaxZoneId:$zone,
  defaultShippingZoneId:$zone,pricesIncludeTax:true,defaultCurrencyCode:$currency,availableCurrencyCodes:[$currency]}){
  __typename ...on ErrorResult{message}}}"""
SHIPPING = """mutation{createShippingMethod(input:{code:"standard",fulfillmentHandler:"manual-fulfillment",
  checker:{code:"default-shipping-eligibility-checker",arguments:[{name:"orderMinimum",value:"0"}]},
  calculator:{code:"default-shipping-calculator",arguments:[{name:"rate",value:"500"},{name:"taxRate",value:"0"},
  {name:"includesTax",value:"auto"}]},translations:[{languageCode:en,name:"Standard",description:""}]}){id}}"""
PAYMENT = """mutation{createPaymentMethod(input:{code:"test-payments",enabled:true,handler:{code:"test-payments",
  arguments:[]},translations:[{languageCode:en,name:"Card ending in 4242",description:""}]}){id}}"""
PRODUCT = """mutation{createProduct(input:{enabled:true,translations:[{languageCode:en,name:"Mug",slug:"mug",
  description:"A mug"}]}){id}}"""
OPTIONS = """mutation{createProductOptionGroup(input:{code:"color",translations:[{languageCode:en,name:"Color"}],
  options:[
  {code:"blue",translations:[{languageCode:en,name:"Blue"}]},{code:"red",translations:[{languageCode:en,name:"Red"}]}]}){
  id options{id code}}}"""
VARIANTS = "mutation($input:[CreateProductVariantInput!]!){createProductVariants(input:$input){id sku}}"
ROLE = """mutation($permissions:[Permission!]!){createRole(input:{code:"support-bot",description:"Support bot",
  permissions:$permissions}){id}}"""
KEY = """mutation($roles:[ID!]!){createApiKey(input:{roleIds:$roles,translations:[{languageCode:en,
  name:"Support bot"}]}){apiKey}}"""

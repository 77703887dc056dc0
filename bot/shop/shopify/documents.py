"""What is asked of Shopify's Admin API: valid in 2026-01, 2026-04, 2026-07 and 2026-10, without deprecated fields.

Shopify counts points for all that might come back and takes at most 1000 for one request. So an order is found first
and then read as a whole, and in a list of orders there is less of each.
"""

MAX_PAYMENTS = 40
MAX_REFUNDS = 20
MAX_PARTS = 4
MAX_RETURNS = 20
ORDERS_IN_A_PAGE = 20

_MONEY = "presentmentMoney{amount currencyCode}"
_ADDRESS = "name address1 address2 city provinceCode zip countryCodeV2"
_CUSTOMER = "id displayName verifiedEmail defaultEmailAddress{emailAddress}"
_HEAD = f"""id name createdAt cancelledAt displayFulfillmentStatus presentmentCurrencyCode customer{{{_CUSTOMER}}}"""
_LINE = f"""id title variantTitle quantity refundableQuantity variant{{id}}
  discountedUnitPriceAfterAllDiscountsSet{{{_MONEY}}}"""
_LINES = f"nodes{{{_LINE}}} pageInfo{{hasNextPage endCursor}}"
_REFUND = f"id note transactions(first:{MAX_PARTS}){{nodes{{status amountSet{{{_MONEY}}}}}}}"

ORDER_IDS = """query OrderIds($query:String!){
  orders(first:20,query:$query,sortKey:CREATED_AT,reverse:true){nodes{id name}}}"""
ORDER = f"""query Order($id:ID!){{order(id:$id){{
  {_HEAD}
  cancellation{{staffNote}}
  shippingAddress{{{_ADDRESS}}}
  transactions(first:{MAX_PAYMENTS}){{id kind status gateway formattedGateway amountSet{{{_MONEY}}}
    parentTransaction{{id}}}}
  refunds(first:{MAX_REFUNDS}){{{_REFUND}}}
  fulfillments(first:5){{displayStatus estimatedDeliveryAt deliveredAt
    trackingInfo(first:1){{company number url}}
    events(first:5,sortKey:HAPPENED_AT,reverse:true){{nodes{{status happenedAt message city country}}}}
    fulfillmentLineItems(first:30){{nodes{{lineItem{{id}}}}}}}}
  lineItems(first:50){{{_LINES}}}}}}}"""
MORE_LINES = f"""query MoreLines($id:ID!,$after:String!){{
  order(id:$id){{lineItems(first:100,after:$after){{{_LINES}}}}}}}"""
ORDERS_OF_CUSTOMER = f"""query OrdersOfCustomer($id:ID!,$after:String){{customer(id:$id){{
  orders(first:{ORDERS_IN_A_PAGE},after:$after,sortKey:CREATED_AT,reverse:true){{
    nodes{{{_HEAD} paymentGatewayNames totalReceivedSet{{{_MONEY}}} totalRefundedSet{{{_MONEY}}}
      fulfillments(first:3){{displayStatus estimatedDeliveryAt deliveredAt}}
      lineItems(first:5){{nodes{{{_LINE}}}}}}}
    pageInfo{{hasNextPage endCursor}}}}}}}}"""
REFUNDS_OF_CUSTOMER = f"""query RefundsOfCustomer($id:ID!,$changed:String!){{customer(id:$id){{
  orders(first:25,query:$changed,sortKey:UPDATED_AT,reverse:true){{nodes{{
    refunds(first:10){{createdAt totalRefundedSet{{{_MONEY}}}}}}}}}}}}}"""
RETURNS = f"""query Returns($id:ID!){{order(id:$id){{returns(first:{MAX_RETURNS},reverse:true){{nodes{{id status
  returnLineItems(first:15){{nodes{{quantity processedQuantity customerNote
    ...on ReturnLineItem{{fulfillmentLineItem{{lineItem{{id}}}}}}}}}}}}}}}}}}"""
RETURNABLE = """query Returnable($id:ID!){returnableFulfillments(orderId:$id,first:5){nodes{
  returnableFulfillmentLineItems(first:50){nodes{quantity fulfillmentLineItem{id lineItem{id}}}
    pageInfo{hasNextPage}}}}}"""
CUSTOMER_BY_EMAIL = f"""query CustomerByEmail($email:String!){{
  customerByIdentifier(identifier:{{emailAddress:$email}}){{{_CUSTOMER}}}}}"""
PROFILE = f"""query Profile($id:ID!){{customer(id:$id){{defaultAddress{{{_ADDRESS}}}}}}}"""
PRODUCTS = """query Products($query:String!,$most:Int!){products(first:$most,query:$query){nodes{id title
  variants(first:40){nodes{id title price inventoryQuantity availableForSale}}}}}"""
SHOP = f"""query Shop{{
  shop{{name currencyCode orderNumberFormatPrefix orderNumberFormatSuffix}}
  publicApiVersions{{handle supported}}
  currentAppInstallation{{accessScopes{{handle}}}}
  customers(first:10,reverse:true){{nodes{{{_CUSTOMER}}}}}
  orders(first:1){{nodes{{id}}}}}}"""

REFUND = f"""mutation Refund($input:RefundInput!,$key:String!){{
  refundCreate(input:$input) @idempotent(key:$key){{refund{{{_REFUND}}} userErrors{{field message}}}}}}"""
CANCEL = """mutation Cancel($orderId:ID!,$staffNote:String!){
  orderCancel(orderId:$orderId,reason:CUSTOMER,restock:true,notifyCustomer:true,staffNote:$staffNote,
    refundMethod:{originalPaymentMethodsRefund:true}){job{id} orderCancelUserErrors{code message}}}"""
CHANGE_ADDRESS = """mutation ChangeAddress($input:OrderInput!){
  orderUpdate(input:$input){order{id} userErrors{field message}}}"""
RETURN = """mutation Return($input:ReturnRequestInput!){
  returnRequest(input:$input){return{id status} userErrors{field message code}}}"""
ALL = (
    *(ORDER_IDS, ORDER, MORE_LINES, ORDERS_OF_CUSTOMER, CUSTOMER_BY_EMAIL, SHOP),
    *(REFUNDS_OF_CUSTOMER, RETURNS, RETURNABLE, PROFILE, PRODUCTS),
    *(REFUND, CANCEL, CHANGE_ADDRESS, RETURN),
)

"""What is asked of Shopify's Admin API: valid in 2026-01, 2026-04, 2026-07 and 2026-10, without deprecated fields."""

_MONEY = "presentmentMoney{amount currencyCode}"
_ORDER_FIELDS = f"""
  id name createdAt cancelledAt displayFulfillmentStatus presentmentCurrencyCode
  cancellation{{staffNote}}
  customer{{id displayName defaultEmailAddress{{emailAddress}}}}
  shippingAddress{{name address1 address2 city provinceCode zip countryCodeV2}}
  transactions(first:50){{id kind status gateway formattedGateway amountSet{{{_MONEY}}} parentTransaction{{id}}}}
  refunds(first:50){{id note totalRefundedSet{{{_MONEY}}}
    transactions(first:20){{nodes{{status errorCode amountSet{{{_MONEY}}}}}}}}}
  fulfillments(first:10){{displayStatus estimatedDeliveryAt deliveredAt
    trackingInfo(first:1){{company number url}}
    events(first:10,sortKey:HAPPENED_AT,reverse:true){{nodes{{status happenedAt message city country}}}}
    fulfillmentLineItems(first:50){{nodes{{lineItem{{id}}}}}}}}"""
_LINE_FIELDS = f"""id title variantTitle quantity variant{{id}} discountedUnitPriceAfterAllDiscountsSet{{{_MONEY}}}"""

ORDERS_BY_NAME = f"""query OrdersByName($query:String!){{
  orders(first:10,query:$query,sortKey:CREATED_AT,reverse:true){{nodes{{{_ORDER_FIELDS}
    lineItems(first:100){{nodes{{{_LINE_FIELDS}}} pageInfo{{hasNextPage endCursor}}}}}}}}}}"""
MORE_LINES = f"""query MoreLines($id:ID!,$after:String!){{
  order(id:$id){{lineItems(first:100,after:$after){{nodes{{{_LINE_FIELDS}}} pageInfo{{hasNextPage endCursor}}}}}}}}"""
ORDERS_OF_CUSTOMER = f"""query OrdersOfCustomer($id:ID!,$most:Int!){{
  customer(id:$id){{orders(first:$most,sortKey:CREATED_AT,reverse:true){{nodes{{{_ORDER_FIELDS}
    lineItems(first:10){{nodes{{{_LINE_FIELDS}}} pageInfo{{hasNextPage endCursor}}}}}}}}}}}}"""
CUSTOMER_BY_EMAIL = """query CustomerByEmail($email:String!){
  customerByIdentifier(identifier:{emailAddress:$email}){id displayName defaultEmailAddress{emailAddress}}}"""
SHOP = """query Shop{shop{name orderNumberFormatPrefix orderNumberFormatSuffix}
  currentAppInstallation{accessScopes{handle}}
  orders(first:1,reverse:true,query:"customer_id:*"){nodes{id customer{defaultEmailAddress{emailAddress}}}}}"""

REFUND = """mutation Refund($input:RefundInput!,$key:String!){
  refundCreate(input:$input) @idempotent(key:$key){
    refund{id transactions(first:20){nodes{status errorCode}}} userErrors{field message}}}"""
CANCEL = """mutation Cancel($orderId:ID!,$staffNote:String!){
  orderCancel(orderId:$orderId,reason:CUSTOMER,restock:true,notifyCustomer:true,staffNote:$staffNote,
    refundMethod:{originalPaymentMethodsRefund:true}){job{id done} orderCancelUserErrors{code message}}}"""
CHANGE_ADDRESS = """mutation ChangeAddress($input:OrderInput!){
  orderUpdate(input:$input){order{id} userErrors{field message}}}"""
ALL = (ORDERS_BY_NAME, MORE_LINES, ORDERS_OF_CUSTOMER, CUSTOMER_BY_EMAIL, SHOP, REFUND, CANCEL, CHANGE_ADDRESS)

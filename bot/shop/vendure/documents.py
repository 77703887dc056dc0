"""What is asked of Vendure's Admin API, as GraphQL."""

_FIELDS = """id code state active currencyCode orderPlacedAt
  customer{id firstName lastName emailAddress}
  lines{id quantity orderPlacedQuantity proratedUnitPriceWithTax productVariant{id name options{name}}}
  payments{id state amount method refunds{id state total reason lines{orderLineId quantity}}}
  fulfillments{id state method trackingCode updatedAt lines{orderLineId}}
  shippingAddress{fullName streetLine1 streetLine2 city province postalCode countryCode}
  history(options:{filter:{type:{eq:"ORDER_CANCELLATION"}}}){items{type data createdAt}}"""
ORDER = f"query($codes:[String!]!){{orders(options:{{filter:{{code:{{in:$codes}}}}}}){{items{{{_FIELDS}}}}}}}"
ORDERS = f"""query($id:ID!,$most:Int!){{customer(id:$id){{orders(options:{{take:$most,sort:{{orderPlacedAt:DESC}},
  filter:{{active:{{eq:false}}}}}}){{items{{{_FIELDS}}}}}}}}}"""
LATEST = "{orders(options:{take:1,filter:{active:{eq:false}}}){items{id customer{emailAddress}}}}"
CUSTOMER = """query($email:String!){customers(options:{filter:{emailAddress:{eq:$email}}}){
  items{id firstName lastName emailAddress}}}"""
PROFILE = """query($id:ID!){customer(id:$id){addresses{fullName streetLine1 streetLine2 city province postalCode
  country{code} defaultShippingAddress}}}"""
SETTINGS = "{globalSettings{serverConfig{moneyStrategyPrecision}}}"
NOTE = 'mutation{addNoteToOrder(input:{id:"0",note:"-",isPublic:false}){id}}'
REFUND = """mutation($input:RefundOrderInput!){refundOrder(input:$input){__typename
  ...on Refund{id state total} ...on ErrorResult{message}}}"""
CANCEL = """mutation($id:ID!,$reason:String!){cancelOrder(input:{orderId:$id,reason:$reason,cancelShipping:true}){
  __typename ...on Order{id state} ...on ErrorResult{message}}}"""

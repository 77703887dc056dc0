"""Orders, customers and money: the port to a shop, and the shop that is built in."""

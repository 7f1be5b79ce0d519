"""How often users come: a domain that the tests add to the map and take away again."""

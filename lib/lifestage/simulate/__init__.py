"""A made-up world: what the systems of a retailer would drop, and the truth behind it.

Nothing in it is measured from anybody. It is made to be checked against: who is who, who has left and when, who buys by
price, and what each planted case does are written beside the files, under `truth/`.
"""

"""A simulated retailer: the files that its systems would deliver, and the truth behind them.

All of it is invented; nothing is measured from real people. Tests check results against the truth, which is written to
`truth/` beside the files: who is who, who left and when, who buys by price, and the effect of each planted case.
"""

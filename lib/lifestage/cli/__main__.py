"""`python -m lifestage.cli`, where the console script is not on the path."""

from lifestage.cli import main

main()

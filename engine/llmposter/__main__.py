"""`python -m llmposter` is `llmposter`."""

from llmposter.cli import main

main()

"""A script: it ends the process that imports it."""

import sys

sys.exit("usage: leaves.py FILE")

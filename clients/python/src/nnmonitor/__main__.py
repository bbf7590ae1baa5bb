"""`python -m nnmonitor` is the command `nnmonitor`."""

import sys

from .cli import main

sys.exit(main())

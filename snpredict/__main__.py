"""`python -m snpredict`."""

import sys

from snpredict.cli import main

sys.exit(main())

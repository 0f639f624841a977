"""`python -m rixin.engines.embedder`."""

import os
import sys

# OpenMP reads this when the library is loaded. Waiting threads that spin would take the time of everybody else here.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

from rixin.engines.embedder.serve import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m rixin.engines.child`."""

import os
import sys

from rixin.engines.child_program import own_stdout
from rixin.engines.process import Failed

# OpenMP reads this when the library is loaded. Waiting threads that spin would take the time of everybody else here,
# and make the model itself up to ten times slower as soon as anything else runs.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

try:
    from rixin.engines.child.serve import main
except ImportError as error:
    # Packages bring everything but what a small system may not have: GNU's OpenMP.
    advice = "; install libgomp1 (Debian, Ubuntu) or libgomp (Fedora, Alpine)" if "libgomp" in str(error) else ""
    own_stdout()(Failed(f"llama.cpp cannot be loaded: {error}{advice}"))
    sys.exit(1)

if __name__ == "__main__":
    sys.exit(main())

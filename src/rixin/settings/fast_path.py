"""Whether the short ways are taken that give what the long ones do.

They are, but for tests: `RIXIN_TEST_FAST_PATH=off` has every event of an upstream decoded by all the rules and written
anew, so that the same tests show that nobody can tell the difference.
"""

import os
from typing import Final

FAST_PATH: Final[bool] = os.environ.get("RIXIN_TEST_FAST_PATH") != "off"

"""What any shop's adapter must hold, as tests to run against yours, over a server that may fail in every way.

In a test module of your own, say `from bot.testing.shop import *` and make a fixture `stage` that returns a `Stage`; of
a shop without HTTP `StageWithoutHttp` is the beginning. A test is skipped, with your reason, when your stage raises
`NotHereError` for what your shop does not know.
"""

from bot.testing.shop import cancellations, failures, reading, refunds, returns
from bot.testing.shop.faults import FaultProxy
from bot.testing.shop.stage import NotHereError, Sale, Stage, StageWithoutHttp

_MODULES = (reading, refunds, cancellations, returns, failures)
_TESTS = {name: test for module in _MODULES for name, test in vars(module).items() if name.startswith("test_")}
globals().update(_TESTS)

__all__ = ["FaultProxy", "NotHereError", "Sale", "Stage", "StageWithoutHttp"]
__all__ += list(_TESTS)

"""A module that needs another one."""

import no_such_library  # type: ignore[import-not-found]  # noqa: F401 - it is the slip

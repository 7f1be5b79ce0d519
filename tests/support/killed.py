"""`lifestage run` in a process of its own that SIGKILL ends right after a commit.

    python -m support.killed COMMIT ARGUMENTS...

COMMIT is a table's name (killed once it was written) or a number (after so many commits). ARGUMENTS are those of
the command line. The store is wrapped here, in a process that exists to die: the library has no such switch.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from lifestage.cli import main
from lifestage.platform.storage.store import Store

WRITES = ("write", "append_once", "exchange", "replace_all")
SPARED = "run_lock"


def dying(write: Callable[..., Any], done: list[str], commit: str) -> Callable[..., Any]:
    """The write, and after the chosen one the end: no cleanup, no shutdown hook, no last word."""

    def then_die(store: Store, table: Any, *arguments: Any, **options: Any) -> Any:
        result = write(store, table, *arguments, **options)
        if table.name != SPARED:
            done.append(table.name)
            if commit in (table.name, str(len(done))):
                os.kill(os.getpid(), signal.SIGKILL)
        return result

    return then_die


if __name__ == "__main__":
    chosen, done = sys.argv.pop(1), []
    for name in WRITES:
        setattr(Store, name, dying(getattr(Store, name), done, chosen))
    main()

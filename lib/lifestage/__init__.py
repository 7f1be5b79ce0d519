"""User lifecycle management on PySpark and Delta Lake."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["audience_moves", "read", "snapshot", "stage_history"]

if TYPE_CHECKING:
    from lifestage.services.readers import audience_moves, read, snapshot, stage_history
else:

    def __getattr__(name: str) -> Any:
        """Import the readers on first use: importing the package needs no Spark."""
        if name not in __all__:
            raise AttributeError(f"module {__name__} has no attribute {name}")
        from lifestage.services import readers

        return getattr(readers, name)

    def __dir__() -> list[str]:
        """The readers are listed before their first use."""
        return sorted({*globals(), *__all__})

from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")

def counted(function: Callable[[], _Result]) -> _Result: ...

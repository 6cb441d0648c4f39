"""Validation of what users pass: errors name the entry at fault, before any native code sees it."""

import os
import reprlib
from numbers import Integral, Real
from typing import Any

import numpy as np

from .errors import OutOfRange, place

#: Sums of this many costs must stay finite in float64, duals included.
LARGEST_COST = 1e300

#: Not all integers beyond this are float64 numbers, so that the optimum of such costs could not be promised.
LARGEST_INTEGER = 2**53

#: Message of a solver that finds costs which the validation would have refused.
COSTS_CHANGED = "the costs changed after validation, perhaps during the solve; keep the array unchanged meanwhile"


#: Advice in messages about masked points, masked costs, and sparse costs.
MASKED_POINTS = "np.ma.compress_rows(…) drops the masked points"
MASKED_COSTS = "fill it first: .astype(float).filled(np.inf) forbids the masked pairs"
SPARSE_COSTS = "to forbid absent pairs, solve(Assignment(SparseCost(…))); to fill them in, "


def as_numeric(values: Any, name: str, *, masked: str = "fill it first: .filled(0)", sparse: str = "") -> np.ndarray:
    """Return `values` as a real array without rounding: float32, float64 or integers, in native byte order.

    A frame or a list may hold nullable numbers, fractions and decimals, if each is a float64 number. `masked` and
    `sparse` are the advice in messages about such arrays.
    """
    array = _as_array(values, name, masked, sparse)
    if array.dtype.kind == "O" and not isinstance(values, np.ndarray):
        array = _exact_floats(array)
    return _numeric(array, name)


def as_rounded_matrix(values: Any, name: str, *, masked: str, sparse: str) -> np.ndarray:
    """Return a matrix as SciPy reads it: anything but an array is cast entry by entry, and large integers are rounded.

    A frame or a list may hold nullable numbers, fractions, decimals and integers of any size. The error for an entry
    that is not a number has SciPy's type and names the entry.
    """
    array = _as_array(values, name, masked, sparse)
    if array.dtype.kind in "OSU" and not isinstance(values, np.ndarray):
        try:
            floats = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise type(error)(f"{name} must hold numbers; {_culprit(array) or error}") from None
        check_matrix(floats)
        if (missing := np.isnan(floats)).any():
            where = first(missing)
            raise ValueError(f"{name} contains invalid numeric entries: {array[where]} at {place(where)}")
        return floats
    array = _numeric(array, name)
    check_matrix(array)
    if array.dtype.kind in "iu" and _largest(array) > LARGEST_INTEGER:
        return array.astype(np.float64)
    return array


def _as_array(values: Any, name: str, masked: str, sparse: str) -> np.ndarray:
    """Return `values` as an array of any type; a TypeError for masked and sparse arrays, which NumPy would misread."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; {masked}")
    if hasattr(values, "todense"):
        method = "toarray" if hasattr(values, "toarray") else "todense"
        raise TypeError(f"{name} is a sparse {type(values).__name__}; {sparse}call .{method}()")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged: {_uneven(values) or error}") from None


def _numeric(array: np.ndarray, name: str) -> np.ndarray:
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8)
    if kind in "iu":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if kind == "f" and array.dtype.itemsize <= 8:
        wide = np.float32 if array.dtype.itemsize <= 4 else np.float64
        return array.astype(wide, copy=False)
    cast = "cast it to float64: np.asarray(…, dtype=float)"
    cures = {"c": "take the real part or the absolute value", "f": cast, "O": cast}
    cure = (kind == "O" and (_culprit(array) or _rounded(array))) or cures.get(kind, "give numbers")
    raise TypeError(f"Cannot cast array data of {name} from {array.dtype} to float64 without loss; {cure}")


def _exact_floats(array: np.ndarray) -> np.ndarray:
    """Return objects as float64, or unchanged if some entry is no number, would be rounded, or is a large integer."""
    try:
        floats = array.astype(np.float64)
        missing = (floats != floats) & (array != array).astype(bool)
        whole = np.array([isinstance(value, Integral) for value in array.flat], dtype=bool).reshape(array.shape)
        exact = (floats == array).astype(bool) & ~(whole & (np.abs(floats) > LARGEST_INTEGER))
        return floats if (exact | missing).all() else array
    except (TypeError, ValueError, OverflowError):
        return array


def _largest(array: np.ndarray) -> int:
    """Return the largest absolute value of integers, which their own type may not hold."""
    return max(array.max(initial=0).item(), -array.min(initial=0).item())


def check_matrix(array: np.ndarray) -> None:
    """Raise a ValueError unless the array has two dimensions."""
    if array.ndim != 2:
        raise ValueError(f"expected a matrix (2-D array), got {array.ndim} dimension(s), shape {array.shape}")


def check_entries(
    array: np.ndarray,
    name: str,
    coordinates: tuple[np.ndarray, ...] | None = None,
    forbidden: float = np.inf,
    extremes: tuple[float, float] | None = None,
) -> bool:
    """Raise a ValueError for entries that no solver can handle; return whether some entry is `forbidden` (inf or −inf).

    `coordinates` are the indices of a flat array's entries in the user's own array; `extremes` are its smallest and
    largest entry, if known, where a NaN counts as infinite and not `forbidden`.
    """
    if array.size == 0:
        return False

    def fault(flags: np.ndarray) -> tuple[Any, str]:
        where = first(flags)
        return array[where], place(where if coordinates is None else tuple(axis[where] for axis in coordinates))

    if array.dtype.kind in "iu":
        if _largest(array) > LARGEST_INTEGER:
            value, at = fault((array > LARGEST_INTEGER) | (array < -LARGEST_INTEGER))
            raise ValueError(
                f"{name}{at} is {value}, beyond 2**53: not exact in float64; subtract a constant first, or round: "
                ".astype(float)"
            )
        return False
    low, high = extremes or (array.min().item(), array.max().item())
    # Both extremes of an array with a NaN are NaN, so that two passes suffice; only an error costs another search.
    if high != high or -forbidden in (low, high):
        value, at = fault(np.isnan(array) | (array == -forbidden))
        raise ValueError(f"{name} contains invalid numeric entries: {value} at {at}")
    if array.dtype == np.float64 and (low < -LARGEST_COST or high > LARGEST_COST):
        large = ((array < -LARGEST_COST) | (array > LARGEST_COST)) & np.isfinite(array)
        if large.any():
            value, at = fault(large)
            raise OutOfRange(f"{name}{at} is {value}, beyond {LARGEST_COST:g}: sums would overflow; divide by 2**64")
    return forbidden in (low, high)


def check_number(value: Any, name: str, positive: bool = False) -> float:
    """Return `value` as a finite number, at least 0 or above it."""
    if not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r}; it must be a number")
    number = float(value)
    if not (0 < number < np.inf if positive else 0 <= number < np.inf):
        raise ValueError(f"{name} = {value!r}; it must be finite and {'above' if positive else 'at least'} 0")
    return number


def check_flag(value: Any, name: str) -> None:
    """Raise a TypeError unless `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} = {value!r}; it must be True or False")


def check_finite(value: Any, name: str) -> float:
    """Return `value` as a number of either sign, small enough for sums of costs."""
    if not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r}; it must be a number")
    number = float(value)
    if not abs(number) <= LARGEST_COST:
        raise ValueError(f"{name} = {value!r}; it must be finite, and within ±{LARGEST_COST:g}")
    return number


def check_masses(masses: Any, name: str, size: int) -> np.ndarray:
    """Return `masses` as `size` float64 numbers of finite, positive sum; None for uniform ones of sum 1."""
    if masses is None:
        return np.full(size, 1 / size)
    masses = as_numeric(masses, name)
    if masses.shape != (size,):
        raise ValueError(f"{name} has shape {masses.shape}; the cost needs ({size},)")
    return _finite_sums(masses.astype(np.float64), name)


#: Smallest sum of masses: below, single masses would have too few digits.
LEAST_SUM = 1e-280

#: Largest relative difference of two sums of masses that counts as rounding.
ROUNDING = 1e-6


def sums_differ(a: Any, b: Any) -> Any:
    """Return whether two sums of masses, or the sums in two arrays, differ by more than rounding."""
    return abs(a - b) > ROUNDING * np.maximum(a, b)


def check_sums(a: float, b: float, cure: str) -> None:
    """Raise a ValueError if two sums of masses differ by more than rounding; `cure` ends the message."""
    if sums_differ(a, b):
        raise ValueError(f"masses do not match: a sums to {a:.9g}, b to {b:.9g}{cure}")


def check_histograms(masses: Any, name: str, bins: int) -> np.ndarray:
    """Return a copy of `masses` as float64 (..., bins) in C order, each histogram of finite, positive sum."""
    masses = as_numeric(masses, name)
    if masses.ndim == 0 or masses.shape[-1] != bins:
        raise ValueError(f"{name} has shape {masses.shape}; the cost needs (…, {bins})")
    return _finite_sums(np.array(masses, dtype=np.float64, order="C"), name)


def _finite_sums(masses: np.ndarray, name: str) -> np.ndarray:
    """Return masses (..., k) whose sums, one per row, can be divided into 2⁶⁰ parts."""
    bad = ~(np.isfinite(masses) & (masses >= 0))
    if bad.any():
        where = first(bad)
        raise ValueError(f"{name}{place(where)} is {masses[where]}; masses must be finite and at least 0")
    with np.errstate(over="ignore"):
        sums = np.atleast_1d(masses.sum(axis=-1))
    for faulty, fault in (
        (sums == np.inf, "sums beyond the largest float64; rescale the masses"),
        (sums == 0, "has no mass: every entry is 0"),
        (sums < LEAST_SUM, f"sums to less than {LEAST_SUM:g}; rescale the masses"),
    ):
        if faulty.any():
            raise ValueError(f"{name}{place(first(faulty)) if masses.ndim > 1 else ''} {fault}")
    return masses


def check_threads(threads: Any, name: str = "threads") -> int:
    """Return a number of threads ≥ 1; −1, as in joblib, and None stand for all cores of this process."""
    if threads is None or (isinstance(threads, Integral) and threads == -1):
        return count_cores()
    if not isinstance(threads, Integral) or isinstance(threads, bool) or threads < 1:
        raise ValueError(f"{name} = {threads!r}; it must be a whole number of at least 1, or -1 for all cores")
    return int(threads)


def count_cores() -> int:
    """Return the number of cores that this process may use; of all cores where the system does not tell."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # neither on macOS nor on Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def first(flags: np.ndarray) -> tuple[np.intp, ...]:
    """Return the index of the first true entry, in C order."""
    return np.unravel_index(np.argmax(flags), flags.shape)


def _uneven(rows: Any) -> str | None:
    """Return which of some nested sequences differs in length from the first, None if none does."""
    lengths = [len(row) if hasattr(row, "__len__") else None for row in rows]
    k = next((k for k, length in enumerate(lengths) if length != lengths[0]), None)
    if k is None:
        return None
    size = "is a single number" if lengths[k] is None else f"has {lengths[k]} entries"
    return f"row {k} {size}, row 0 has {lengths[0]}"


def _rounded(array: np.ndarray) -> str:
    """Return the first entry that float64 would round, and the cure; empty if there is none."""
    for where, value in np.ndenumerate(array):
        if float(value) != value and value == value:
            shown = reprlib.repr(value)
            return f"entry {place(where)} is {shown}, which is no float64 number; cast it: np.asarray(…, dtype=float)"
    return ""


def _culprit(array: np.ndarray) -> str:
    """Return the first entry that cannot be cast to float64; empty if all can."""
    if array.ndim == 0:
        return f"it is {array.item()!r}"
    for where, value in np.ndenumerate(array):
        try:
            float(value)
        except (TypeError, ValueError, OverflowError):
            return f"entry {place(where)} is {reprlib.repr(value)}"
    return ""

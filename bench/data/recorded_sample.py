"""Sample of the problems that a program has solved: which are kept, and the calls that each size had.

Every problem has a priority, a pseudo-random number that its digest and the seed decide. A class of sizes keeps the
problems of lowest priority: a uniform sample of its distinct problems, the same in whatever order they arrive. Sizes
are classed by powers of two of the larger side. Where there are too many problems in all, the largest class gives one
up, so that the few large problems, which take the time, stay beside the many small ones.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self


@dataclass
class Entry:
    """A kept problem: its file, and the number and total time of its calls."""

    file: str
    digest: str
    shape: tuple[int, int]
    dtype: str
    bytes: int
    calls: int
    seconds: float

    @property
    def size_class(self) -> int:
        """Its class of sizes (`size_class_of`)."""
        return size_class_of(self.shape)


def size_class_of(shape: tuple[int, int]) -> int:
    """Return the exponent of the largest power of two that is not above the larger side."""
    return max(shape).bit_length() - 1


@dataclass
class Call:
    """A call, as a sample counts it: why its problem is not kept, or its class of sizes, or the problem to keep."""

    function: str
    seconds: float
    fault: str = ""
    size_class: int | None = None
    entry: Entry | None = None


@dataclass
class SizeClass:
    """All calls of a class of sizes, and the priority below which its problems are kept."""

    calls: int = 0
    seconds: float = 0.0
    below: float = 1.0


@dataclass
class Sample:
    """Kept problems by digest, classes of sizes by exponent, and totals of a program's calls."""

    seed: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    classes: dict[int, SizeClass] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    unrecorded: dict[str, int] = field(default_factory=dict)  # calls by the reason why their problem is not kept
    seconds: float = 0.0  # during which was recorded

    def keeps(self, digest: str, size_class: int) -> bool:
        """Return whether a problem is kept if it arrives now."""
        return self.priority(digest) < self.classes.get(size_class, SizeClass()).below

    def priority(self, digest: str) -> float:
        """Return the priority of a problem, in [0, 1)."""
        drawn = hashlib.blake2b(f"{self.seed} {digest}".encode(), digest_size=7).digest()
        return int.from_bytes(drawn, "big") / 2**56

    def add(self, call: Call) -> None:
        """Count a call, and keep its problem if it is one to keep."""
        self.functions[call.function] = self.functions.get(call.function, 0) + 1
        if call.fault:
            self.unrecorded[call.fault] = self.unrecorded.get(call.fault, 0) + 1
        if call.size_class is not None:
            self.count(call.size_class, 1, call.seconds)
        if call.entry is not None:
            self.keep(call.entry)

    def count(self, size_class: int, calls: int, seconds: float) -> None:
        """Count calls on problems of a class."""
        found = self.classes.setdefault(size_class, SizeClass())
        found.calls += calls
        found.seconds += seconds

    def keep(self, entry: Entry) -> None:
        """Keep a problem, or add the calls to those that it has."""
        old = self.entries.get(entry.digest)
        if old is None:
            self.entries[entry.digest] = replace(entry)
        else:
            old.calls += entry.calls
            old.seconds += entry.seconds

    def trim(self, most: int, most_bytes: int) -> list[Entry]:
        """Give problems up until there are no more than allowed; return those."""
        gone = [each for each in self.entries.values() if not self.keeps(each.digest, each.size_class)]
        for entry in gone:
            del self.entries[entry.digest]
        while len(self.entries) > most or sum(each.bytes for each in self.entries.values()) > most_bytes:
            groups: dict[int, list[Entry]] = {}
            for entry in self.entries.values():
                groups.setdefault(entry.size_class, []).append(entry)
            is_count = len(self.entries) > most
            # A class keeps its last problem as long as another has more than one.
            largest = max(
                groups,
                key=lambda size: (
                    len(groups[size]) > 1,
                    len(groups[size]) if is_count else sum(each.bytes for each in groups[size]),
                    size,
                ),
            )
            worst = max(groups[largest], key=lambda each: self.priority(each.digest))
            self.classes.setdefault(largest, SizeClass()).below = self.priority(worst.digest)
            del self.entries[worst.digest]
            gone.append(worst)
        return gone

    def merge(self, other: "Sample") -> None:
        """Add the problems and the calls of another sample with the same seed."""
        for size, theirs in other.classes.items():
            self.count(size, theirs.calls, theirs.seconds)
            self.classes[size].below = min(self.classes[size].below, theirs.below)
        for entry in other.entries.values():
            self.keep(entry)
        for mine, added in ((self.functions, other.functions), (self.unrecorded, other.unrecorded)):
            for name, calls in added.items():
                mine[name] = mine.get(name, 0) + calls
        self.seconds += other.seconds

    @property
    def calls(self) -> int:
        """Number of all calls, those whose problems are not kept included."""
        return sum(self.functions.values())

    @property
    def solving(self) -> float:
        """Seconds of the calls whose problems could be kept."""
        return sum(each.seconds for each in self.classes.values())

    @property
    def distinct(self) -> tuple[float, bool]:
        """Number of distinct problems, and whether that is exact; an estimate from the priorities if some are gone."""
        total = 0.0
        for size, found in self.classes.items():
            kept = sum(entry.size_class == size for entry in self.entries.values())
            total += kept / found.below if found.below > 0 else 0
        return total, all(found.below == 1 for found in self.classes.values())

    def dump(self, name: str) -> str:
        """Return the index as JSON, for people, programs and `read`."""
        distinct, is_exact = self.distinct
        classes = {
            f"{2**size} to {2 ** (size + 1) - 1}": {"exponent": size, **asdict(found)}
            for size, found in sorted(self.classes.items())
        }
        values = {
            "name": name,
            "calls": self.calls,
            "seconds_of_calls": self.solving,
            "seconds": self.seconds,
            "distinct": round(distinct),
            "distinct_is_exact": is_exact,
            "functions": self.functions,
            "unrecorded": self.unrecorded,
            "seed": self.seed,
            "sizes": classes,
            "problems": [asdict(entry) for entry in sorted(self.entries.values(), key=lambda entry: entry.file)],
        }
        return json.dumps(values, indent=1)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text of `dump`; a ValueError, KeyError, TypeError or AttributeError means that it is damaged."""
        values: Mapping[str, Any] = json.loads(text)
        classes = {
            int(found["exponent"]): SizeClass(int(found["calls"]), float(found["seconds"]), float(found["below"]))
            for found in values["sizes"].values()
        }
        entries = [Entry(**{**each, "shape": tuple(each["shape"])}) for each in values["problems"]]
        return cls(
            seed=int(values["seed"]),
            entries={entry.digest: entry for entry in entries},
            classes=classes,
            functions={str(name): int(calls) for name, calls in values["functions"].items()},
            unrecorded={str(reason): int(calls) for reason, calls in values["unrecorded"].items()},
            seconds=float(values["seconds"]),
        )

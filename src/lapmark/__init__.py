"""Compare, prove and choose solvers of the linear assignment problem and of optimal transport.

Everything public is here, and loaded on first use: solving needs only NumPy and SciPy, what `_HARNESS` lists needs the
extra `bench`, and the command needs neither NumPy nor SciPy to complete a word or to show its help.
"""

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes time to import, while Ctrl-C still shows a traceback
if TYPE_CHECKING:
    from lapmark import solvers
    from lapmark.bench.applications.answer_figure import plot
    from lapmark.bench.data.recording import recording
    from lapmark.bench.embeddings import LocallyLinearEmbedding, embed
    from lapmark.bench.gate.benchmarks import benchmark
    from lapmark.bench.mixtures import flow as gmm_flow
    from lapmark.bench.problems.applied.images_emd import distances as image_distances
    from lapmark.bench.problems.applied.words import distance as word_movers_distance
    from lapmark.bench.problems.applied.words import nearest as nearest_texts
    from lapmark.bench.problems.family import family
    from lapmark.reports.map.grid_map import map
    from lapmark.solvers import *  # noqa: F403

    __all__ = [
        "LocallyLinearEmbedding",
        "benchmark",
        "embed",
        "family",
        "gmm_flow",
        "image_distances",
        "map",
        "nearest_texts",
        "plot",
        "recording",
        "word_movers_distance",
    ]
    __all__ += solvers.__all__
    __version__: str

#: Where each public name of the harness is defined, from `bench`, and its name there.
_HARNESS = {
    "LocallyLinearEmbedding": ("embeddings", "LocallyLinearEmbedding"),
    "benchmark": ("gate.benchmarks", "benchmark"),
    "embed": ("embeddings", "embed"),
    "family": ("problems.family", "family"),
    "gmm_flow": ("mixtures", "flow"),
    "image_distances": ("problems.applied.images_emd", "distances"),
    "map": (".reports.map.grid_map", "map"),
    "nearest_texts": ("problems.applied.words", "nearest"),
    "plot": ("applications.answer_figure", "plot"),
    "recording": ("data.recording", "recording"),
    "word_movers_distance": ("problems.applied.words", "distance"),
}


def __getattr__(name: str) -> object:
    """Load what a name needs; the name is then an attribute like any other."""
    if name in _HARNESS:
        module, defined = _HARNESS[name]
        try:
            globals()[name] = getattr(import_module(f".{module}", "lapmark.bench"), defined)
        except ModuleNotFoundError as error:
            raise import_module("lapmark.bench.util.missing_package").explained(error, f"lapmark.{name}") from None
    elif name == "__version__":
        globals()[name] = import_module("importlib.metadata").version("lapmark")
    elif name == "__all__" or not name.startswith("_"):
        public = import_module("lapmark.solvers")
        globals().update({each: getattr(public, each) for each in public.__all__})
        globals()["__all__"] = public.__all__  # without the harness: `import *` works where it is not installed
    if name not in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), "__version__", *_HARNESS, *__getattr__("__all__")})  # type: ignore[misc]

"""Packages that are not installed: the message that says how to get one."""

import importlib.metadata
import re
import shlex

#: The packages on PyPI whose modules have other names.
_PACKAGES = {"PIL": "pillow", "cpuinfo": "py-cpuinfo", "sklearn": "scikit-learn"}


def explained(error: ModuleNotFoundError, wanted: str) -> ModuleNotFoundError:
    """Return the error with what needs the module and how to install it; the same error for a module of Lapmark.

    What needs it is a verb, such as "lapmark map", or a name of the library.
    """
    extra = "map" if wanted in ("lapmark map", "lapmark.map") else "bench"
    module = (error.name or "").partition(".")[0]
    if module in ("", "lapmark"):
        return error
    package = _PACKAGES.get(module, module)
    cure = shlex.quote(f"lapmark[{extra}]" if package in _listed(extra) else package)
    message = f"{wanted} needs the package {package}, which is not installed: pip install {cure}"
    return ModuleNotFoundError(message, name=error.name)


def _listed(extra: str) -> set[str]:
    """Return the packages of an extra, those of the extras that it includes too."""
    packages: set[str] = set()
    for line in importlib.metadata.requires("lapmark") or []:
        requirement, _, condition = line.partition(";")
        name, extras = re.match(r"([\w.-]+)(?:\[(.*)\])?", requirement).groups()  # type: ignore[union-attr]
        if f'extra == "{extra}"' in condition.replace("'", '"'):
            packages |= {name}.union(*map(_listed, extras.split(","))) if name == "lapmark" else {name}
    return packages

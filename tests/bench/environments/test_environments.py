"""Environments: made by pip for packages that exclude each other, and used like the harness's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.contract import runner
from lapmark.bench.environments import available_solvers, virtual_environments
from lapmark.bench.environments.virtual_environments import Environment, Unusable
from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import plan, resolve
from lapmark.bench.run.local_run import LocalRun
from lapmark.bench.run.measure import RunSettings
from lapmark.bench.run.schedule import Finished, Schedule
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import registry
from lapmark.solvers.plugins import loading

HELPERS = Path(__file__).parents[2] / "helpers"

EXAMPLE = HELPERS / "example_package"

#: The package lap of the harness is newer.
OLD = "0.5.12"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a folder of environments for this module only, without plugins of other modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "_loaded", {})
        patch.setenv(virtual_environments.VARIABLE, str(tmp_path_factory.mktemp("environments")))
        yield virtual_environments.folder()


@pytest.fixture(scope="module")
def lapx() -> Environment:
    return virtual_environments.add("lapx", ["lapx>=0.11"])


@pytest.fixture(scope="module")
def old() -> Environment:
    if registry.get("lap").missing:
        pytest.skip("lap is not installed")
    return virtual_environments.add("old", [f"lap=={OLD}"])


@pytest.fixture(scope="module")
def theirs() -> Environment:
    return virtual_environments.add("theirs", [str(EXAMPLE)])


def measure(folder: Path, *solvers: str) -> dict[str, Record]:
    settings = RunSettings(limits=Limits(timeout=60, memory=1 << 30), budget=0.01)
    with Store.open(folder) as store:
        events = list(LocalRun(Schedule(store=store, settings=settings)).run(plan(solvers, ["uniform"], [24])))
    return {event.record.solver: event.record for event in events if isinstance(event, Finished)}


def lapmark(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


def test_run_of_packages_that_share_a_module_measures_each(tmp_path: Path, lapx: Environment, old: Environment) -> None:
    done = measure(tmp_path, "lap", "lap@old", "lapx-lapjv", "jv")
    assert {record.status for record in done.values()} == {"ok"}, [record.message for record in done.values()]
    assert {name: record.environment for name, record in done.items()} == {
        "lap": "",
        "lap@old": "old",
        "lapx-lapjv": "lapx",
        "jv": "",
    }
    assert done["lap@old"].versions["lap"] == OLD
    assert done["lap"].versions["lap"] == registry.version("lap") != OLD
    assert done["lapx-lapjv"].versions == {
        "lapmark": registry.version("lapmark"),
        "numpy": registry.version("numpy"),
        "lapx": lapx.packages["lapx"],
    }
    assert len({record.key for record in done.values()}) == 4
    assert len({record.cost for record in done.values()}) == 1


def test_inventory_of_an_environment_has_its_package_and_the_harness_rest(lapx: Environment) -> None:
    assert set(lapx.packages) == {"lapx"}
    items = virtual_environments.inventory(lapx).items
    assert items["lapx-lapjvc"].missing is None
    assert items["scipy"].versions["scipy"] == registry.version("scipy")
    if registry.version("lap"):
        assert items["lap"].missing == "lapx is installed in its place; both are imported as lap, so uninstall lapx"
        assert available_solvers.get("lap").environment is None
        assert "lap is installed in its place" in (registry.get("lapx-lapjvc").missing or "")
    assert available_solvers.get("lapx-lapjvc").environment == lapx
    assert available_solvers.get("lapx-lapjvc@lapx").missing is None
    assert available_solvers.get("jv@lapx").versions == available_solvers.get("jv").versions


def test_inventory_of_packages_that_overwrite_each_other_has_neither() -> None:
    both = virtual_environments.add("both", [f"lap=={OLD}", "lapx>=0.11"])
    items = virtual_environments.inventory(both).items
    assert items["lap"].missing == "lapx is installed in its place; both are imported as lap, so uninstall lapx"
    assert items["lapx-lapjv"].missing == "lap is installed in its place; both are imported as lap, so uninstall lap"


def test_solver_of_several_environments_must_name_one(lapx: Environment) -> None:
    virtual_environments.add("twin", lapx.requirements)
    try:
        assert (
            available_solvers.get("lapx-lapjvr").missing
            == "runs in several environments; choose lapx-lapjvr@lapx or lapx-lapjvr@twin"
        )
        assert available_solvers.get("lapx-lapjvr@twin").missing is None
    finally:
        virtual_environments.remove("twin")
    assert available_solvers.get("lapx-lapjvr").environment == lapx


def test_plugin_package_in_an_environment_works_in_every_command(tmp_path: Path, theirs: Environment) -> None:
    assert "example" not in registry.solvers()
    solver = available_solvers.get("example")
    assert solver.environment == theirs
    assert solver.capabilities.duals
    assert solver.versions["lapmark-example"] == "1.2.0"
    record = measure(tmp_path, "example:last_first=true", "jv")["example:last_first=true"]
    assert (record.status, record.environment) == ("ok", "theirs")
    assert record.versions["lapmark-example"] == "1.2.0"
    with pytest.raises(ValueError, match="no setting 'first'; there is last_first"):
        plan(["example:first=1"], ["uniform"])
    with pytest.raises(ValueError, match="it must be true or false"):
        plan(["example:last_first=1"], ["uniform"])
    assert "lapmark-example 1.2.0 @theirs" in lapmark("solvers")[1]
    assert "Edmonds" in lapmark("solvers", "example")[1]


def test_plugin_package_in_an_environment_passes_the_contract(theirs: Environment) -> None:
    findings: list[object] = []
    solver = available_solvers.get("example")
    runner.examine(solver, runner.select(solver), 60, findings.append)
    made = {finding.check: finding for finding in findings if isinstance(finding, runner.Finding)}
    assert list(made) == runner.select(solver)
    assert not [finding for finding in made.values() if finding.status == "fail"]
    assert {"brute-force", "duals-rectangular", "near-ties"} <= {
        name for name, finding in made.items() if finding.status == "pass"
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jv@lapy", "no environment is called 'lapy'; did you mean lapx"),
        ("lapx-lapj@lapx", "no solver of lapx is called 'lapx-lapj'; did you mean lapx-lapjv"),
        ("exampel", "no solver is called 'exampel'; did you mean example"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name: str, message: str, lapx: Environment, theirs: Environment) -> None:
    with pytest.raises(ValueError, match=message):
        available_solvers.get(name)


@pytest.mark.parametrize("name", ["", "Lapx", "a/b", "..", "a@b", "a:b"])
def test_add_with_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use lower case letters"):
        virtual_environments.add(name, ["lapx"])


def test_add_again_keeps_the_old_environment_until_the_new_is_complete(old: Environment) -> None:
    with pytest.raises(ValueError, match=rf"old exists already, with lap=={OLD}; --again replaces it"):
        virtual_environments.add("old", ["lap"])
    with pytest.raises(ValueError, match="could not install"):
        virtual_environments.add("old", ["lap==999.9"], again=True)
    assert virtual_environments.get("old") == old
    assert available_solvers.get("lap@old").versions["lap"] == OLD
    anew = virtual_environments.add("old", [], again=True)
    assert anew.requirements == old.requirements
    assert not Path(old.prefix).exists()
    assert available_solvers.get("lap@old").environment == anew
    assert available_solvers.get("lap@old").versions["lap"] == OLD


def test_add_of_a_missing_version_leaves_nothing_and_says_why(folder: Path) -> None:
    code, output = lapmark("env", "add", "none", "lap==999.9")
    assert code == 2
    assert "pip could not install lap==999.9" in output
    assert "No matching distribution found" in output
    assert not (folder / "none").exists()


#: A package whose build does not end.
ENDLESS = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "endless"\nbackend-path = ["."]\n'
    '[project]\nname = "endless"\nversion = "1"\n',
    "endless.py": "import os, pathlib, time\n\ndef build_wheel(*given, **settings):\n"
    "    pathlib.Path(__file__).with_name('begun').write_text(str(os.getpid()))\n    time.sleep(600)\n",
}


def test_ctrl_c_during_add_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    for name, text in ENDLESS.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "lapmark", "env", "add", "endless", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    begun = tmp_path / "begun"
    while not (begun.exists() and begun.read_text()):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert "the environment endless was not made" in output
    assert not (folder / "endless").exists()
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if str(tmp_path) in " ".join(command)]


def test_inventory_is_kept_until_a_source_changes(theirs: Environment) -> None:
    asked = virtual_environments.inventory(theirs)
    python = theirs.python.rename(theirs.python.with_name("elsewhere"))
    virtual_environments._inventory.cache_clear()  # as in another process
    assert virtual_environments.inventory(theirs) == asked  # without its Python
    os.utime(next(Path(theirs.prefix, "lib").glob("python*/site-packages")))
    virtual_environments._inventory.cache_clear()
    with pytest.raises(Unusable, match=r"theirs cannot list .*: .*“lapmark env add theirs --again” replaces it"):
        virtual_environments.inventory(theirs)
    with pytest.raises(ValueError, match=r"no solver is called 'example'.*; environment theirs cannot list"):
        available_solvers.get("example")
    assert "environment theirs cannot list its solvers" in " ".join(lapmark("solvers")[1].split())
    python.rename(theirs.python)
    assert virtual_environments.inventory(theirs).items == asked.items


def test_inventory_of_another_harness_is_unusable(theirs: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    now = virtual_environments.get("theirs")
    monkeypatch.setattr(sys, "prefix", "/somewhere/else")
    virtual_environments._inventory.cache_clear()
    with pytest.raises(Unusable, match=rf"theirs belongs to the Python of {now.harness}"):
        virtual_environments.inventory(now)
    code, output = lapmark("env", "list")
    assert code == 0
    assert "belongs to the Python of" in output
    virtual_environments._inventory.cache_clear()


def test_resolve_without_a_known_version_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve("jv", Case("uniform", 8)).missing is None
    monkeypatch.setattr(registry, "version", lambda name: None if name == "lapmark" else "1")
    for solver in ("jv", "build-matrix"):
        missing = resolve(solver, Case("uniform", 8)).missing
        assert missing == "the version of lapmark is unknown; a time without its version is useless"


def test_env_command_lists_environments_and_prints_the_python(lapx: Environment) -> None:
    code, output = lapmark("env", "list")
    assert code == 0
    assert "lapx-lapjv, lapx-lapjvc" in output
    code, output = lapmark("env", "python", "lapx")
    assert output.strip() == str(lapx.python)
    said = subprocess.run(
        [output.strip(), "-c", "import lap, lapmark.bench; print(lap.__file__)"], capture_output=True, text=True
    )
    assert said.stdout.startswith(lapx.prefix)
    code, output = lapmark("env", "remove", "nowhere")
    assert code == 2
    assert "no environment is called 'nowhere'" in output

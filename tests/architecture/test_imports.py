"""One door per side effect, and a module imports lower layers only."""

from __future__ import annotations

import ast

import pytest
from source_tree import modules

from harness.cli.main import SUBCOMMANDS
from harness.results import journal_events

# Module -> the only ones that may import it.
DOORS = {
    # The last one runs in a guest.
    "subprocess": {"harness.system.process", "harness.vmrun_qemu.base.process", "harness.seed.k3s_bootstrap"},
    "pytest": {
        f"harness.plugin.{name}"
        for name in (
            "assertions",
            "entry",
            "fixtures",
            "guards",
            "hooks",
            "lab_session",
            "locate",
            "opening",
            "options",
            "requested",
            "run_hooks",
            "terminal",
        )
    },
    "paramiko": {"harness.guest.ssh_connection"},
    "testinfra": {"harness.guest.testinfra_backend"},
    "yaml": {"harness.config.yaml_nodes", "harness.seed.foreign.documents", "harness.seed.yaml_text"},
    "pycdlib": {"harness.seed.iso_writer"},
    "click": {f"harness.cli.{name}" for name in ("main", "options", *SUBCOMMANDS)},
    "jinja2": {"harness.report.html"},
    "pydantic": {
        "harness.config.frozen_model",
        "harness.config.loader",
        "harness.config.model",
        "harness.config.payload_spec",
        "harness.ownership.ledger",
        "harness.results.run_json",
    },
    "qemu": {"harness.vmrun_qemu.qemu.qmp_client"},
}
POSIX_ONLY = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
WINDOWS_ONLY = ("msvcrt", "winreg", "winsound", "_winapi")

# The layers of `docs/architecture.md`, lowest first. A package imports packages of lower layers only.
LAYERS = (
    ("core",),
    ("config", "results", "vmware", "system"),
    ("vmrun", "guest", "ownership", "image", "payload", "report"),
    ("preflight", "airgap", "cluster", "seed"),
    ("machine",),
    ("phases",),
    ("lab",),
    ("plugin", "cli"),
)
EMBEDDED = "harness.vmrun_qemu"


@pytest.mark.parametrize("library", DOORS)
def test_there_is_one_door(library: str) -> None:
    users = {module.name for module in modules().values() if module.imported(library)}
    assert users <= DOORS[library]
    assert users, f"no module uses {library}: remove it here and from the dependencies"


def test_there_is_one_sleep() -> None:
    def sleeps(tree: ast.Module) -> bool:
        calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
        named = any(ast.unparse(call) in ("time.sleep", "sleep", "asyncio.sleep") for call in calls)
        return named or "from time import sleep" in ast.unparse(tree)

    in_guests = {"harness.airgap.guest_probe", "harness.cluster.pod_probe", "harness.seed.k3s_bootstrap"}
    # sent to a guest, and run there
    doors = {"harness.core.deadline", "harness.vmrun_qemu.base.wait", *in_guests}
    assert {m.name for m in modules().values() if sleeps(m.tree)} == doors


def test_json_of_others_is_read_in_one_place() -> None:
    """Deep nesting ends in a `RecursionError`, which no reader expects. The work-alike has readers of its own."""

    def loads(module: ast.Module) -> bool:
        return any(ast.unparse(node.func) == "json.loads" for node in ast.walk(module) if isinstance(node, ast.Call))

    users = {m.name for m in modules().values() if loads(m.tree) and not m.name.startswith("harness.vmrun_qemu.")}
    in_guests = {"harness.airgap.guest_probe", "harness.seed.k3s_bootstrap"}
    assert users - in_guests == {"harness.core.json_text", "harness.airgap.registry_proxy"}


def test_there_is_one_search_for_programs() -> None:
    """`shutil.which` of Windows begins in the working directory."""
    users = {m.name for m in modules().values() if "shutil.which" in ast.unparse(m.tree)}
    assert users == {"harness.system.programs"}


def test_no_temporary_file_is_made_in_a_directory_that_may_refuse_it() -> None:
    """`tempfile` hangs there on Windows: see `harness.core.temporary_files`."""

    def risky(call: ast.Call) -> bool:
        name = ast.unparse(call.func).removeprefix("tempfile.")
        makers = (
            "TemporaryFile",
            "NamedTemporaryFile",
            "TemporaryDirectory",
            "SpooledTemporaryFile",
            "mkstemp",
            "mkdtemp",
        )
        return name in makers and ("dir" in [word.arg for word in call.keywords] or len(call.args) > 2)

    found = {m.name for m in modules().values() for n in ast.walk(m.tree) if isinstance(n, ast.Call) and risky(n)}
    assert found == set()


def test_no_process_is_started_by_another_way() -> None:
    ways = {"os.system", "os.popen", "os.startfile", "os.fork", "os.execv", "os.execvp", "os.posix_spawn", "pty.spawn"}
    found = [
        f"{module.path}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ways
    ]
    assert found == []


def test_every_module_can_be_loaded_on_every_system() -> None:
    found = [
        f"{module.path}:{item.line}: {item.module}"
        for module in modules().values()
        for item in module.imports
        if item.at_once and item.module.split(".")[0] in (*POSIX_ONLY, *WINDOWS_ONLY)
    ]
    assert found == []


def layer(name: str) -> int:
    """Return the layer of a module, 0 for the lowest."""
    return next(number for number, names in enumerate(LAYERS) if package(name) in names)


def package(name: str) -> str:
    """Return the package below `harness` that a module is in."""
    return name.split(".")[1]


def harness_modules() -> list[str]:
    return [name for name in modules() if name != "harness" and not name.startswith(EMBEDDED)]


def test_every_package_has_a_layer_and_every_layer_its_packages() -> None:
    parts = {name.split(".")[1] for name in harness_modules()}
    assert parts == {name for names in LAYERS for name in names}


@pytest.mark.parametrize("name", harness_modules())
def test_a_package_imports_lower_layers_only(name: str) -> None:
    higher = [
        f"line {item.line}: {item.module}"
        for item in modules()[name].imports
        if item.module.startswith("harness.")
        and package(item.module) != package(name)
        and layer(item.module) >= layer(name)
    ]
    assert higher == []


def test_reports_are_written_at_the_end_of_a_run_and_by_a_command_only() -> None:
    users = {module.name for module in modules().values() if module.imported("harness.report")}
    below = {name for name in users if package(name) not in ("cli", "report")}
    assert below == {"harness.lab.closing"}


def test_kinds_of_journal_events_are_constants_of_one_module() -> None:
    """A literal would be a second place for the name that the replay of a journal reads."""
    kinds = {
        value
        for name, value in vars(journal_events).items()
        if name.isupper() and isinstance(value, str) and name != "STARTED"
    }
    assert kinds >= {"state", "note", "machine-facts", "guest-event", "evidence", "run-end"}
    found = [
        f"{module.path}:{node.lineno}: {ast.unparse(node)}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("journal.write")
        and any(isinstance(word, ast.Constant) and word.value in kinds for word in node.args[:1])
    ]
    assert found == []
    compared = {kind for kind in kinds if "-" in kind}  # The others are ordinary words.
    literals = [
        f"{module.path}:{node.lineno}: {node.value}"
        for module in modules().values()
        if module.name != "harness.results.journal_events"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value in compared
    ]
    assert literals == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """An import inside a function counts: it must not hide a circle."""
    graph = {
        name: {item.module for item in module.imports if item.module in modules()} for name, module in modules().items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(graph[name] - {name}):
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_python_is_started_without_the_working_directory() -> None:
    """`python -m` searches the working directory first; `-P` and `-I` do not. The work-alike is another program."""
    starters = {
        module.name
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "executable"
    }
    assert starters == {
        "harness.system.python",
        "harness.vmrun_qemu.base.process",
        "harness.vmrun_qemu.network.slirp",
    }
    commands = [
        [item.value for item in node.elts if isinstance(item, ast.Constant)]
        for name in starters
        for node in ast.walk(modules()[name].tree)
        if isinstance(node, ast.Tuple | ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable"
    ]
    assert len(commands) >= len(starters)
    assert [words for words in commands if not {"-P", "-I", "-IS"} & set(words)] == []


# The modules that write to a terminal or to standard output; `mask` makes pytest's own reports plain.
TO_THE_TERMINAL = {
    "harness.cli.options",
    "harness.cli.schema",
    "harness.plugin.terminal",
}


def test_text_of_others_reaches_the_terminal_through_one_module_each() -> None:
    """The command line and the plugin have one module each that writes; it makes every text plain."""
    writes = {"echo", "secho", "write_line", "write_sep", "stdout", "stderr"}
    users = {
        module.name
        for module in modules().values()
        if module.name.startswith(("harness.cli", "harness.plugin"))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in writes
        and isinstance(node.value, ast.Name)
        and node.value.id in ("click", "sys", "reporter", "terminalreporter")
    }
    assert users == TO_THE_TERMINAL

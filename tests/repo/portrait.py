"""A portrait of the package in numbers: sizes, names, types, columns addressed by strings, imports.

    python tests/repo/portrait.py [ROOT] [--json]      a table (or one JSON document) about the tree under ROOT
    python tests/repo/portrait.py --record             lower the limits in portrait.json to what the tree has now

The limits in ``portrait.json`` beside this file are held by ``test_portrait.py``. `--record` never raises one: it names
the numbers that have grown and changes nothing. The source is read, never imported, so a tree of any age can be drawn.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("portrait.json")
PACKAGE = "simclone"

GENERIC_NAMES = frozenset(
    name
    for line in (
        "one found made told place places seen many asked wanted left rest both",
        "got given done here there now_ kept gone",
    )
    for name in line.split()
)
"""Names that say nothing of what they hold."""

LIMITS = ("generic_name_share", "string_columns", "any_count", "duplicate_classes", "import_depth")
"""The numbers of a portrait that may fall and never grow."""

SHARED_CLASS_NAMES = frozenset({"Facts"})
"""Class names that may stand in many modules: each flow calls what it looks up once for a request its facts."""

COLUMN_METHODS = frozenset({"get", "put", "cells", "array"})
COLUMN_STORES = frozenset({"_cells", "_arrays", "cells", "arrays"})
COLUMN_BASES = frozenset({"Columns", "Table"})
"""Base classes of tables; the columns are the strings of ``FIELDS``, or the lower-case names of the class body."""

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, text and syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    is_package: bool

    @property
    def room(self) -> str:
        """The package or module directly below the root that holds the file."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else parts[0]


@dataclass
class Portrait:
    """The numbers of one tree. Shares are between 0 and 1."""

    files: int = 0
    lines: int = 0
    longest_file: int = 0
    longest_file_name: str = ""
    functions: int = 0
    function_lines_median: float = 0
    function_lines_p90: float = 0
    function_lines_max: int = 0
    longest_function_name: str = ""
    docstring_share: float = 0
    comment_share: float = 0
    generic_name_share: float = 0
    any_count: int = 0
    string_columns: int = 0
    dict_str_any: dict[str, int] = field(default_factory=dict)
    duplicate_classes: int = 0
    duplicate_class_names: dict[str, list[str]] = field(default_factory=dict)
    import_depth: int = 0
    longest_import_chain: list[str] = field(default_factory=list)
    import_cycles: dict[str, list[list[str]]] = field(default_factory=dict)

    def limits(self) -> dict[str, float]:
        """The numbers that may only fall."""
        return {name: getattr(self, name) for name in LIMITS}


# --- reading ---------------------------------------------------------------------------------------------------------


def read_modules(root: Path) -> list[Module]:
    """Every module of the package under *root*, by name.

    Raises FileNotFoundError where there is no package.
    """
    folder = root / PACKAGE
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder")
    modules = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        text = path.read_text("utf-8")
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(Module(name, path, text, ast.parse(text), is_package))
    return sorted(modules, key=lambda module: module.name)


# --- lines -----------------------------------------------------------------------------------------------------------


def docstring_lines(tree: ast.Module) -> int:
    """Lines that docstrings of the module, its classes and functions take, strings under an assignment included."""
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            count += (node.end_lineno or node.lineno) - node.lineno + 1
    return count


def comment_lines(text: str) -> int:
    """Lines that hold a comment and nothing else."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT and token.line.lstrip().startswith("#") for token in tokens)


def function_lengths(module: Module) -> list[tuple[int, str]]:
    """Lines and name of every function and method, from ``def`` to its last line, decorators left out."""
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{module.name}.{node.name}")
        for node in ast.walk(module.tree)
        if isinstance(node, FUNCTIONS)
    ]


# --- names and types -------------------------------------------------------------------------------------------------


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Names bound by assignment, ``for`` or ``with``, the targets of comprehensions left out."""
    if isinstance(tree, ast.Name) and isinstance(tree.ctx, ast.Store):
        yield tree.id
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.comprehension):
            for part in (child.iter, *child.ifs):
                yield from bound_names(part)
        elif isinstance(child, ast.AugAssign):  # changes a name that was bound before
            yield from bound_names(child.value)
        else:
            yield from bound_names(child)


def local_names(tree: ast.AST) -> Iterator[str]:
    """The names bound inside functions; a function within a function is met once."""
    for child in ast.iter_child_nodes(tree):
        yield from bound_names(child) if isinstance(child, FUNCTIONS) else local_names(child)


def any_count(tree: ast.AST) -> int:
    """How often the type ``Any`` is used: in annotations, aliases and casts; its import does not count."""
    return sum(
        (isinstance(node, ast.Name) and node.id == "Any") or (isinstance(node, ast.Attribute) and node.attr == "Any")
        for node in ast.walk(tree)
    )


def dict_str_any_count(tree: ast.AST) -> int:
    """How often ``dict[str, Any]`` is written."""
    return sum(isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]" for node in ast.walk(tree))


def duplicate_classes(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Public class names defined at the top of more than one module, with the modules; SHARED_CLASS_NAMES apart."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and node.name[0] != "_" and node.name not in SHARED_CLASS_NAMES:
                homes[node.name].append(module.name)
    return {name: sorted(names) for name, names in sorted(homes.items()) if len(names) > 1}


# --- columns addressed by strings ------------------------------------------------------------------------------------


def column_names(modules: Iterable[Module]) -> set[str]:
    """The names of all columns: those of tables (classes built on COLUMN_BASES), or, where there is none, of
    every class in the model."""
    classes = [(module, node) for module in modules for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
    tables = set(COLUMN_BASES)
    while True:
        more = {node.name for _, node in classes if tables & {_last_name(base) for base in node.bases}} - tables
        if not more:
            break
        tables |= more
    bodies = [node for module, node in classes if node.name in tables - COLUMN_BASES and module.room == "model"]
    if not bodies:
        bodies = [node for module, node in classes if module.room == "model"]
    return {name for node in bodies for name in _columns_of(node)}


def _last_name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _columns_of(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if "FIELDS" in names and statement.value is not None:
            for part in ast.walk(statement.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
        yield from (name for name in names if name.islower() and not name.startswith("_"))


def string_columns(tree: ast.AST, columns: set[str]) -> int:
    """How often a column is addressed by a string: ``.get("cpu", row)``, ``.array(f"{book}_cpu")``, ``cells["cpu"]``.

    A ``get`` with a literal, or without anything, as its default is one of a dictionary and does not count.
    """
    return sum(_is_string_column(node, columns) for node in ast.walk(tree))


def _is_string_column(node: ast.AST, columns: set[str]) -> bool:
    if isinstance(node, ast.Subscript):
        return _last_name(node.value) in COLUMN_STORES and _says_column(node.slice, columns)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return False
    name = node.func.attr
    if name not in COLUMN_METHODS or not _says_column(node.args[0], columns):
        return False
    if name == "get":
        return len(node.args) == 2 and not isinstance(node.args[1], ast.Constant | ast.List | ast.Dict | ast.Tuple)
    return True


def _says_column(node: ast.expr, columns: set[str]) -> bool:
    """Whether an argument is the name of a column, a string put together, or a choice of such."""
    if isinstance(node, ast.IfExp):
        return _says_column(node.body, columns) or _says_column(node.orelse, columns)
    if isinstance(node, ast.JoinedStr):
        return True
    return isinstance(node, ast.Constant) and node.value in columns


# --- imports ---------------------------------------------------------------------------------------------------------


def run_time_imports(modules: Iterable[Module], type_only: bool = False) -> dict[str, set[str]]:
    """Which modules of the package each module imports when the program runs.

    Imports inside functions count, those under ``if TYPE_CHECKING`` only with *type_only*.
    ``from a import b`` is an import of ``a.b`` where that is a module, else of ``a``. A package is the module that its
    ``__init__`` is.
    """
    modules = list(modules)
    names = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        package = module.name if module.is_package else module.name.rpartition(".")[0]
        targets = {
            target for node in _import_nodes(module.tree, type_only) for target in _targets(node, package, names)
        }
        graph[module.name] = targets - {module.name}
    return graph


def _import_nodes(node: ast.AST, type_only: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and _last_name(child.test) == "TYPE_CHECKING" and not type_only:
            for statement in child.orelse:
                yield from _import_nodes(ast.Module([statement], []), type_only)
        else:
            yield from _import_nodes(child, type_only)


def _targets(node: ast.Import | ast.ImportFrom, package: str, names: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in names)
        return
    base = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, *([base] if base else [])])
    for alias in node.names:
        whole = f"{base}.{alias.name}"
        if whole in names:
            yield whole
        elif base in names:
            yield base


def components(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components (Tarjan), each sorted; a component comes after all it leads to."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            position = stack.index(node)
            result.append(sorted(stack[position:]))
            del stack[position:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return result


def longest_chain(graph: dict[str, set[str]]) -> list[str]:
    """The longest path of imports, cycles collapsed: a cycle stands as one link, by its first module."""
    chains: dict[str, list[str]] = {}
    longest: list[str] = []
    for component in components(graph):
        targets = {target for node in component for target in graph.get(node, ())} - set(component)
        below = max((chains[target] for target in sorted(targets)), key=len, default=[])
        chain = [component[0], *below]
        chains.update(dict.fromkeys(component, chain))
        longest = max(longest, chain, key=len)
    return longest


def sibling_cycles(graph: dict[str, set[str]]) -> dict[str, list[list[str]]]:
    """By package: groups of its modules and subpackages that import each other in a circle.

    An import anywhere inside a subpackage counts as the subpackage's. The package's own ``__init__`` is no sibling.
    """
    siblings: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source, targets in graph.items():
        for target in targets:
            importer, imported = source.split("."), target.split(".")
            depth = next((n for n, (a, b) in enumerate(zip(importer, imported, strict=False)) if a != b), None)
            if depth is not None:
                siblings[".".join(importer[:depth])][importer[depth]].add(imported[depth])
    cycles = {package: [group for group in components(edges) if len(group) > 1] for package, edges in siblings.items()}
    return {package: sorted(groups) for package, groups in sorted(cycles.items()) if groups}


# --- the whole -------------------------------------------------------------------------------------------------------


def draw(root: Path) -> Portrait:
    """The portrait of the package under *root*."""
    modules = read_modules(root)
    portrait = Portrait(files=len(modules))
    sizes = {module.name: len(module.text.splitlines()) for module in modules}
    portrait.lines = sum(sizes.values())
    portrait.longest_file_name, portrait.longest_file = max(sizes.items(), key=lambda item: item[1])
    lengths = sorted(item for module in modules for item in function_lengths(module))
    if lengths:
        lines = [length for length, _ in lengths]
        portrait.functions = len(lines)
        portrait.function_lines_median = statistics.median(lines)
        portrait.function_lines_p90 = lines[int(0.9 * (len(lines) - 1))]
        portrait.function_lines_max, portrait.longest_function_name = lengths[-1]
    total = max(portrait.lines, 1)
    portrait.docstring_share = round(sum(docstring_lines(module.tree) for module in modules) / total, 4)
    portrait.comment_share = round(sum(comment_lines(module.text) for module in modules) / total, 4)
    names = Counter(name for module in modules for name in local_names(module.tree))
    generic = sum(names[name] for name in GENERIC_NAMES)
    portrait.generic_name_share = round(generic / max(names.total(), 1), 4)
    portrait.any_count = sum(any_count(module.tree) for module in modules)
    columns = column_names(modules)
    portrait.string_columns = sum(string_columns(module.tree, columns) for module in modules)
    rooms: Counter[str] = Counter()
    for module in modules:
        rooms[module.room] += dict_str_any_count(module.tree)
    portrait.dict_str_any = {room: count for room, count in sorted(rooms.items()) if count}
    portrait.duplicate_class_names = duplicate_classes(modules)
    portrait.duplicate_classes = len(portrait.duplicate_class_names)
    graph = run_time_imports(modules)
    portrait.longest_import_chain = longest_chain(graph)
    portrait.import_depth = len(portrait.longest_import_chain)
    portrait.import_cycles = sibling_cycles(graph)
    return portrait


def table(portrait: Portrait) -> str:
    """The portrait as aligned lines."""
    cycles = [f"{package}: {' '.join(group)}" for package, groups in portrait.import_cycles.items() for group in groups]
    rooms = " ".join(f"{room} {count}" for room, count in portrait.dict_str_any.items())
    p = portrait
    rows: list[tuple[str, str, str]] = [
        ("files", f"{p.files:,}", ""),
        ("lines", f"{p.lines:,}", ""),
        ("longest file", f"{p.longest_file}", p.longest_file_name),
        ("functions", f"{p.functions:,}", ""),
        ("lines of a function: median", f"{p.function_lines_median:g}", ""),
        ("  90 %", f"{p.function_lines_p90:g}", ""),
        ("  longest", f"{p.function_lines_max}", p.longest_function_name),
        ("docstrings, share of lines", f"{p.docstring_share:.1%}", ""),
        ("comments on own lines", f"{p.comment_share:.1%}", ""),
        ("generic names, of all local", f"{p.generic_name_share:.1%}", ""),
        ("uses of Any", f"{p.any_count}", ""),
        ("dict[str, Any]", f"{sum(p.dict_str_any.values())}", rooms),
        ("columns addressed by strings", f"{p.string_columns}", ""),
        ("public class names in 2+ modules", f"{p.duplicate_classes}", " ".join(p.duplicate_class_names)),
        ("longest import chain", f"{p.import_depth}", "modules; a cycle counts once"),
        ("import cycles among siblings", f"{len(cycles)}", "; ".join(cycles)),
    ]
    wide, number = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{label:<{wide}}  {value:>{number}}  {note}".rstrip() for label, value, note in rows)


def grown(portrait: Portrait, limits: dict[str, float]) -> list[str]:
    """The numbers of a portrait that are above their limit, in words."""
    return [
        f"{name} is {value:g}, the limit is {limits[name]:g}"
        for name, value in portrait.limits().items()
        if value > limits[name]
    ]


def record(portrait: Portrait, path: Path) -> list[str]:
    """Write the numbers as the new limits, unless one has grown; returns those that have."""
    faults = grown(portrait, json.loads(path.read_text("utf-8"))) if path.exists() else []
    if not faults:
        path.write_text(json.dumps(portrait.limits(), indent=2) + "\n", "utf-8")
    return faults


def main() -> int:
    """Draw a portrait as the arguments say; the exit code is 1 when a limit would have to be raised."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=REPO, help="a folder that holds the package")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--record", action="store_true", help="lower the limits in portrait.json")
    arguments = parser.parse_args()
    portrait = draw(arguments.root)
    print(json.dumps(vars(portrait), indent=2) if arguments.json else table(portrait))
    faults = record(portrait, RECORD) if arguments.record else []
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

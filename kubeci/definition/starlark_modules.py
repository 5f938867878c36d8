"""Starlark modules: found, parsed, evaluated once each, with what every module sees."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import starlark

from kubeci.definition.addresses import Address, context_address, resolve
from kubeci.definition.builtins import Builtin
from kubeci.definition.protocol import Answer
from kubeci.definition.starlark_errors import PRELUDE, read_error
from kubeci.definition.starlark_source import Source, prepare
from kubeci.errors import DefinitionError, Location
from kubeci.model.json import JsonObject

MAX_CALL_DEPTH = 1_000  # the interpreter's own stack ends somewhat later, with a crash
SPARE_CALLS = 10  # calls of builtins and of our own wrappers, on top of the author's functions
CPU_MARGIN_SECONDS = 0.2  # before the kernel ends the process, so that the place can be told
MAX_PRINTS = 200
MAX_PRINT_CHARACTERS = 1_000

Reader = Callable[[Address], Answer]
"""Reads the text at an address of one scheme."""

_DIALECT = starlark.Dialect.standard()
_DIALECT.enable_keyword_only_arguments = True
_DIALECT.enable_load_reexport = False  # what is loaded stays in its module, as in the original
_REEXPORT = starlark.Dialect.standard()
_REEXPORT.enable_load_reexport = True
_GLOBALS = starlark.Globals.standard()
_OWN_GLOBALS = starlark.Globals.extended_by(
    [
        starlark.LibraryExtension.StructType,
        starlark.LibraryExtension.CallStack,
    ]
)
_PRELUDE = starlark.parse(
    PRELUDE,
    """
def print(*args, sep = " "):
    _print(sep.join([str(arg) for arg in args]), call_stack(strip_frames = 1))

input = struct(**_input)
""",
    _DIALECT,
)
_USE_PRELUDE = starlark.parse(PRELUDE, 'load("prelude", "input", "print")', _REEXPORT)
_CALLER = re.compile(r"^  \* (.+?):(\d+)(?::\d+)?, in ", re.MULTILINE)


class Refusal(Exception):
    """Why a builtin of ours does not do what was asked; the interpreter adds the place of the call."""


@dataclass(slots=True)
class _Module:
    """A module under evaluation (`frozen` is None) or evaluated."""

    frozen: starlark.FrozenModule | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What modules are made of: readers by scheme, modules of ours by path, the owner of the build's repository."""

    readers: Mapping[str, Reader]
    builtins: Mapping[str, Builtin]
    owner: str = ""


class Modules:
    """The modules of one evaluation.

    A module is evaluated once, its own loads first; a load cycle is refused with the cycle. What modules print is kept
    in `prints`, `file:line: text`.
    """

    def __init__(self, around: Surroundings, inputs: JsonObject, cpu_seconds: int) -> None:
        self.prints: list[str] = []
        self._around = around
        self._cpu_seconds = cpu_seconds
        self._deadline = time.process_time() + cpu_seconds - CPU_MARGIN_SECONDS
        self._modules: dict[Address, _Module] = {}
        self._sources: dict[str, Source] = {}
        self._stack: list[Address] = []
        self._failure: DefinitionError | None = None
        prelude = starlark.Module()
        prelude["_input"] = inputs
        prelude.add_callable("_print", self._print)
        starlark.eval(prelude, _PRELUDE, _OWN_GLOBALS)
        frozen = prelude.freeze()
        self._prelude = starlark.FileLoader(lambda _name: frozen)

    def main(self, path: str) -> starlark.FrozenModule:
        """Evaluate a file of the context and all that it loads; DefinitionError says what is wrong where."""
        address = context_address(path)
        text = self._read(address).text
        if text is None:
            raise DefinitionError("is not there", where=Location(path))
        try:
            return self._evaluate(address, text)
        except DefinitionError as error:
            raise self._failure or error from None

    def _load(self, base: Address, name: str) -> starlark.FrozenModule:
        address = self._resolve(base, name)
        known = self._modules.get(address)
        if known and known.frozen:
            return known.frozen
        if known:
            cycle = [*self._stack[self._stack.index(address) :], address]
            raise Refusal("load cycle: " + " -> ".join(step.file for step in cycle))
        if address.scheme == "builtin":
            return self._builtin(address)
        try:
            return self._evaluate(address, self._found(name, address))
        except DefinitionError as error:
            message = f"{error.message}\nloaded from {base.file}"
            self._failure = DefinitionError(message, where=error.where, hint=error.hint)
            raise self._failure from None

    def _evaluate(self, address: Address, text: str) -> starlark.FrozenModule:
        state = self._modules[address] = _Module()
        self._stack.append(address)
        file = address.file
        source = self._sources[file] = prepare(text, file)
        module = starlark.Module()
        starlark.eval(module, _USE_PRELUDE, _OWN_GLOBALS, self._prelude)
        module.add_callable("loadFile", self._load_file(address))
        try:
            ast = starlark.parse(file, source.text, _DIALECT)
            self._load_ahead(address, ast)
            options = starlark.EvalOptions(
                max_callstack_size=self._call_depth(), check_cancelled=self._out_of_time
            )
            loader = starlark.FileLoader(lambda name: self._load(address, name))
            starlark.eval_with(options, module, ast, _GLOBALS, loader)
        except starlark.StarlarkError as error:
            raise read_error(str(error), file, self._column, self._cpu_seconds) from None
        state.frozen = module.freeze()
        self._stack.pop()
        return state.frozen

    def _load_ahead(self, base: Address, ast: starlark.AstModule) -> None:
        """Evaluate what a module loads before the module itself, so that all functions it can call are counted.

        What cannot be loaded is told when the interpreter comes to the statement: then it has a place.
        """
        with suppress(Refusal):
            for statement in ast.loads():
                self._load(base, statement.module_id)

    def _call_depth(self) -> int:
        """Bound the call stack by the functions there are: only recursion can need more."""
        functions = sum(source.functions for source in self._sources.values())
        return min(MAX_CALL_DEPTH, 2 * functions + SPARE_CALLS)

    def _builtin(self, address: Address) -> starlark.FrozenModule:
        builtins = self._around.builtins
        builtin = builtins.get(address.path)
        if builtin is None:
            raise Refusal(
                f"there is no builtin module `{address.path}`; there are {', '.join(sorted(builtins))}"
            )
        module = starlark.Module()
        for name, function in builtin.functions.items():
            module.add_callable(name, function)
        starlark.eval(module, starlark.parse(str(address), builtin.source, _DIALECT), _OWN_GLOBALS)
        frozen = module.freeze()
        self._modules[address] = _Module(frozen)
        return frozen

    def _load_file(self, base: Address) -> Callable[..., str | None]:
        def load_file(fn: str, error_on_notfound: bool = True) -> str | None:  # noqa: FBT001, FBT002 - the original's signature
            if not isinstance(fn, str):
                raise Refusal("loadFile: the name must be a string")
            address = self._resolve(base, fn)
            if error_on_notfound:
                return self._found(fn, address, "loadFile: ")
            return self._read(address).text

        return load_file

    def _found(self, name: str, address: Address, before: str = "") -> str:
        answer = self._read(address)
        if answer.text is None:
            reason = f": {answer.missing}" if answer.missing else ""
            raise Refusal(f"{before}`{name}` is not there ({address}){reason}")
        return answer.text

    def _resolve(self, base: Address, name: str) -> Address:
        try:
            return resolve(base, name, self._around.owner)
        except ValueError as error:
            raise Refusal(str(error)) from None

    def _read(self, address: Address) -> Answer:
        reader = self._around.readers.get(address.scheme)
        if reader is None:
            raise Refusal(f"{address}: a builtin module is loaded, it has no file")
        answer = reader(address)
        if answer.refused:
            raise Refusal(answer.refused)
        return answer

    def _print(self, text: str, stack: str) -> None:
        if len(self.prints) > MAX_PRINTS:
            return
        if len(self.prints) == MAX_PRINTS:
            self.prints.append(f"(only the first {MAX_PRINTS} lines are kept)")
            return
        callers = _CALLER.findall(stack)
        place = "{}:{}".format(*callers[-1]) if callers else "?"
        self.prints.append(f"{place}: {text[:MAX_PRINT_CHARACTERS]}")

    def _column(self, file: str, line: int, column: int) -> int:
        source = self._sources.get(file)
        return source.column(line, column) if source else column

    def _out_of_time(self) -> bool:
        return time.process_time() > self._deadline

"""Remark on lines that are hard to read, as compilers do: file:line:column: error: message."""

import pathlib
import sys

LIMIT = 88


def remarks(path: pathlib.Path) -> list[str]:
    """Give the remarks on one file."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line) > LIMIT:
            found.append(f"{path}:{number}:{LIMIT + 1}: error: {len(line)} characters, at most {LIMIT} are readable")
        if line != line.rstrip():
            found.append(f"{path}:{number}:{len(line.rstrip()) + 1}: warning: blanks at the end of the line")
    return found


files = sorted(pathlib.Path(".").rglob("*.py"))
everything = [remark for file in files if "tools" not in file.parts for remark in remarks(file)]
print(f"{len(files)} files read")
for remark in everything:
    print(remark)
sys.exit(1 if everything else 0)

"""Starlark that is after the server's memory, its time, its output, its files and its modules."""

from __future__ import annotations

from attack import STAR, Attack, Verdict, lines, nested, star, star_kept

DOUBLE = "def f():\n  x = {0}\n  for i in range(70):\n    {1}\nf()\n"
LOOP = "def f():\n  for i in range(1 << 30):\n    {0}\nf()\n"
MEMORY = "MB of memory"
SPENT = "used more than"  # of memory or of time, whatever comes first on this machine
CRASHED = "crashed the interpreter"
TABLE = "{i: i for i in range(1000)}"

MEMORY_BOMBS = (
    star("a string that doubles", DOUBLE.format("'ab'", "x += x"), SPENT, costly=True),
    star("a list that doubles", DOUBLE.format("[1]", "x = x + x"), SPENT, costly=True),
    star("a list that extends itself", DOUBLE.format("[1]", "x.extend(list(x))"), SPENT, costly=True),
    star("a dict that doubles", LOOP.format("x = {j: [j] * 1000 for j in range(1 << 22)}"), SPENT, costly=True),
    star("two billion letters", "x = 'a' * 2000000000\n", MEMORY),
    star("a list of a billion", "x = [0] * 1000000000\n", MEMORY),
    star("a shift by a billion", "x = 1 << (1 << 30)\n", "Integer overflow"),
    star("a number squared again and again", DOUBLE.format("3", "x = x * x"), SPENT, costly=True),
    star("a power by builtin math", 'load("builtin:///math", "pow")\nx = pow(10, 400)\nworkflow = {"x": x}\n', "JSON cannot hold"),
    star("a width of a billion", "x = '%1000000000d' % 1\n", "format"),
    star("joins of joins", DOUBLE.format("'ab'", "x = x.join([x] * 100)"), SPENT, costly=True),
    star("replacement of nothing", DOUBLE.format("'ab'", "x = x.replace('', x)"), SPENT, costly=True),
    star("kept by closures", LOOP.format("x = [(lambda y = 'x' * 10000000 + str(j): y) for j in range(1000)]"), SPENT, costly=True),
    star("a range written out", "x = list(range(1 << 31 - 1))\n", CRASHED),
    star("text of a billion by repr", "x = repr(['\\x00' * 60000000])\n", SPENT, costly=True),
    star("JSON that doubles", 'load("builtin:///encoding/json", "encode")\n' + DOUBLE.format("'\"'", "x = encode(x)"), "", costly=True),
    star("JSON laid out a million wide", 'load("builtin:///encoding/json", "indent")\nx = indent("[" * 200 + "]" * 200, indent = " " * 10000000)\n', "ran out of memory", line=2, costly=True),
    star("YAML aliases within Starlark", 'load("builtin:///encoding/yaml", "yaml")\nx = yaml.loads("a0: &a0 [x]\\n" + "\\n".join(["a%d: &a%d [%s]" % (n, n, ", ".join(["*a%d" % (n - 1)] * 10)) for n in range(1, 10)]))\n', "more than 200,000 values"),
    star("a shared value that unfolds", "def f():\n  x = ['x' * 1000]\n  for i in range(40):\n    x = [x, x]\n  return x\nworkflow = f()\n", "holds more than 200000 values"),
    star("a megabyte a hundred times", "x = 'x' * 1000000\nworkflow = {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Workflow', 'spec': [x] * 100}\n", "bytes as JSON", costly=True),
    star("an endless value", "x = {}\nx['x'] = x\nworkflow = x\n", "is nested deeper than 100"),
)  # fmt: skip

TIME_BOMBS = (
    star("loops in loops", LOOP.format("for j in range(1 << 30): pass"), SPENT, costly=True),
    star("one comprehension", "x = [0 for i in range(1 << 30) if i < 0]\n", SPENT, costly=True),
    star("a range without end", "x = len([i for i in range(1 << 62)])\n", "Error unpacking"),
    star("recursion", "def f(n):\n  return f(n + 1)\nf(0)\n", "Starlark has no recursion"),
    star("recursion by two", "def f(n):\n  return g(n)\ndef g(n):\n  return f(n)\nf(0)\n", "Starlark has no recursion"),
    star("recursion by a closure", "def f(g):\n  return g(g)\nf(f)\n", "Starlark has no recursion"),
    star("recursion by sorting", "def f(x):\n  return sorted([2, 1], key = f)\nf(1)\n", "recursion"),
    star("a costly key", "def k(x):\n  n = 0\n  for i in range(1 << 20):\n    n += i\n  return n\nx = sorted(range(10000), key = k)\n", "used more than", costly=True),
    star("keys that collide", LOOP.format("x = {(j << 32): j for j in range(1 << 18)}"), SPENT, costly=True),
    star("search of nothing", "x = 'a' * 4000000\nb = 'a' * 2000000 + 'b'\ny = [x.find(b) for i in range(100000)]\n", SPENT, costly=True),
    star("digits of a large number", DOUBLE.format("3", "x = x * x; y = str(x)"), SPENT, costly=True),
    star("a pattern that backtracks elsewhere", 'load("builtin:///re", "re")\nx = [re.match("(a*)*b", "a" * 100000) for i in range(100000)]\n', SPENT, costly=True),
    star("a pattern that repeats too often", 'load("builtin:///re", "re")\nx = re.compile("((a{100}){100}){100}")\n', "is not a regular expression", line=2),
    star("a pattern of a megabyte", 'load("builtin:///re", "re")\nx = re.compile("a" * 1000000)\n', "at most 4,096", line=2),
    star("all the empty matches", 'load("builtin:///re", "re")\nx = re.sub("", "xxxxxxxxxx", "a" * 5000000)\n', SPENT, costly=True),
    star("years by the billion", 'load("builtin:///time", "from_timestamp")\nx = from_timestamp(1 << 62).format("2006-01-02")\nworkflow = [x]\n', "outside the years"),
)  # fmt: skip

FLOODS = (
    star_kept("a flood of lines", "def f():\n  for i in range(20000):\n    print('x' * 1000)\nf()\n"),
    star_kept("one line of 10 MB", "print('x' * 10000000)\n"),
    star("an error of 10 MB", "fail('x' * 10000000)\n", "fail: xxx", line=1),
    star("an error that commands a terminal", "fail('\\x1b]0;owned\\x07\\x1b[2J\\u202egnp.exe\\u200b\\x00\\r\\n::error::x')\n", "fail: ", line=1),
    star("an error that would be Markdown", "fail('```\\n@acme/everyone fixes #1 <img src=http://x>')\n", "fail: ", line=1),
    star("a key of 10 MB", "workflow = {'x' * 10000000: print}\n", "workflow"),
    star("half a surrogate pair of Starlark", "fail('\\ud800')\n", "invalid string escape"),
    star_kept("prints that lie about their place", "print('ci.star:1: \\r\\x1b[1A\\u202e')\n"),
)  # fmt: skip

DEEP = (
    star("brackets in brackets", "x = " + nested(60_000, "[") + "\n", "brackets are nested deeper than 200"),
    star("closed brackets", "x = " + nested(30_000, "[", "]") + "\n", "brackets are nested deeper than 200"),
    star("a sum of signs", "x = " + "-" * 60_000 + "1\n", "nested too deeply"),
    star("a long sum", "x = 1" + "+1" * 30_000 + "\n", "nested too deeply"),
    star("not not", "x = " + "not " * 15_000 + "1\n", "nested too deeply"),
    star("conditions in conditions", "x = " + "1 if 1 else " * 5_000 + "1\n", CRASHED),
    star("lambdas in lambdas", "x = " + "lambda: " * 3_000 + "1\n", CRASHED),
    # How it ends depends on the machine: it is deep enough to crash the interpreter, and takes long until then.
    star("thousands of lambdas in lambdas", "x = " + "lambda: " * 8_000 + "1\n", "", costly=True),
    star("indentation", "def f():\n" + "".join("  " * (n + 1) + "if 1:\n" for n in range(150)) + "  " * 151 + "pass\nf()\nx = 1 // 0\n", "division by zero"),
    star("a member of a member", "x = {}" + ".x" * 30_000 + "\n", CRASHED),
    star("calls of calls", "x = f" + "()" * 30_000 + "\n", CRASHED),
    star("JSON in depth", 'load("builtin:///encoding/json", "decode")\nx = decode("[" * 1000000)\n', "nested too deeply", line=2),
    star("YAML in depth", 'load("builtin:///encoding/yaml", "yaml")\nx = yaml.loads("[" * 1000000)\n', "nested deeper", line=2),
    star("a source of 2 MB", "# " + "x" * 900_000 + "\n", "has more than 64 KB"),
    star("ten thousand functions", "".join(lines("def f{n}(): pass\n", 5_000)) + "f()\n", "more than 64 KB"),
)  # fmt: skip


def _loading(name: str, address: str, says: str = "", *, member: str = "x") -> Attack:
    return star(name, f'load({address!r}, "{member}")\n'.replace("'", '"'), says)


def _reading(name: str, address: str, says: str) -> Attack:
    return star(name, f"x = loadFile({address!r})\n".replace("'", '"'), says, line=1)


MODULES = (
    _reading("the password file", "../../../../etc/passwd", "is not there"),
    _reading("the password file from the root", "/etc/passwd", "is not there"),
    _reading("escapes that climb", "%2e%2e/%2e%2e/etc/passwd", "is not there"),
    _reading("escapes escaped", "%252e%252e/etc/passwd", "is not there"),
    _reading("backslashes", "..\\\\..\\\\etc\\\\passwd", "is not there"),
    _reading("a file address", "file:///etc/passwd", "there are no file:// addresses"),
    _reading("an absolute path in the context", "context:///../../etc/passwd", "is not there"),
    _reading("a NUL in the name", "ci.star%00.txt", "control characters"),
    _reading("a line's end in the name", "ci.star%0a", "control characters"),
    _reading("this process", "/proc/self/environ", "is not there"),
    _reading("a name of a megabyte", "x/" * 4_000, "at most 2,000"),
    _reading("another letter case", "CI.STAR", "is not there"),
    _reading("another normal form", "\uff43i.star", "is not there"),
    _loading("itself", "ci.star", "load cycle"),
    Attack(
        "a circle of a hundred",
        {"ci.star": 'load("m0.star", "x")\n'}
        | {f"m{n}.star": f'load("m{(n + 1) % 100}.star", "x")\n' for n in range(100)},
        Verdict.REFUSED,
        "load cycle",
    ),
    Attack(
        "a chain of two hundred",
        {"ci.star": 'load("m0.star", "x")\n' + STAR}
        | {f"m{n}.star": f'load("m{n + 1}.star", "x")\n' for n in range(198)}
        | {"m198.star": "x = 1\n"},
        Verdict.REFUSED,
        "is not exported",
    ),
    Attack(
        "a fan of two hundred, each by each",
        {"ci.star": "".join(f'load("m{n}.star", x{n} = "x")\n' for n in range(199)) + STAR}
        | {
            f"m{n}.star": "".join(f'load("m{k}.star", x{k} = "x")\n' for k in range(max(0, n - 20), n))
            + "x = 1\n"
            for n in range(199)
        },
        Verdict.EVALUATED,
    ),
    _loading("a scheme of nobody's", "ftp://example.org/x.star", "there are no ftp:// addresses"),
    _loading("a file of the server", "file:///etc/passwd", "there are no file:// addresses"),
    _loading("a private name of a builtin", "builtin:///re", "private symbol", member="_match"),
    _loading("a builtin by a way around", "builtin:///../re", "has no symbol"),
    _loading("another owner's repository", "github://secrets.othercorp/x.star", "belongs to another owner"),
    _loading("a ref that is a git command", "github://widgets.acme/x.star?ref=--upload-pack=id", "is not the name of a branch"),
    _loading("a ref that walks", "github://widgets.acme/x.star?ref=main@{1}", "is not the name of a branch"),
    _loading("a repository of dots", "github://...acme/x.star", "names no repository"),
    _loading("this machine", "https://127.0.0.1/x.star", "is not public"),
    _loading("this machine by name", "https://localhost/x.star", "is not public"),
    _loading("this machine in 32 bits", "https://2130706433/x.star", "is not public"),
    _loading("this machine in hexadecimal", "https://0x7f.1/x.star", "is not public"),
    _loading("this machine over IPv6", "https://[::1]/x.star", "is not public"),
    _loading("this machine as IPv4 in IPv6", "https://[::ffff:127.0.0.1]/x.star", "is not public"),
    _loading("this machine behind NAT64", "https://[64:ff9b::7f00:1]/x.star", "is not public"),
    _loading("the metadata of the cloud", "https://169.254.169.254/latest/meta-data", "is not public"),
    _loading("the API server", "https://10.96.0.1/api/v1/secrets", "is not public"),
    _loading("a user and a password", "https://admin:secret@example.org/x.star", "no user name"),
    _loading("a port of SSH", "https://example.org:22/x.star", "allow 443"),
    _loading("no encryption", "http://example.org/x.star", "there are no http:// addresses"),
    _loading("a host of control characters", "https://exa%00mple.org/x.star", "is no host"),
    star("the web for a stranger", 'load("https://example.org/x.star", "x")\n', "not trusted", untrusted=True),
    star("another repository for a stranger", 'load("github://secrets.acme/x.star", "x")\n', "not trusted", untrusted=True),
    _loading("an owner with a slash", "github://widgets%2f..%2f.acme/x.star", "names no repository"),
)  # fmt: skip

"""Programs that try to do harm, or to pass `assert f(4711) == 4712` and `assert f(90210) == 90211` unearned.

`CANARY` is a file of the user's, `SECRET` a variable in the environment, `PARENT` the pid of the test, `PORT`
one that the test listens on. A program that reaches what it must not leaves a trace in the canary's folder or
returns what the tests expect.
"""

ADD = "def f(n): return n + 1\n"
"""The right answer: what a program must not reach after a forbidden step."""


def if_done(step: str) -> str:
    """A program that is right only if the step does not raise."""
    return f"import os, sys, socket, ctypes, signal, subprocess, threading, resource\n{step}\n{ADD}"


HARM = {
    "fork bomb": if_done("while True: os.fork()"),
    "one fork": if_done("os.fork()"),
    "thread": if_done("threading.Thread(target=print).start()"),
    "endless loop": if_done("while True: pass"),
    "endless sleep": if_done("import time\ntime.sleep(10**6)"),
    "handles the limit of CPU time": if_done(
        "for s in {*signal.Signals} - {9, 19}:\n  signal.signal(s, signal.SIG_IGN)\nwhile True: pass"
    ),
    "10 GB": if_done("x = bytearray(10 * 2**30)"),
    "memory in steps": if_done("x = []\nwhile True: x.append(bytearray(2**24))"),
    "huge integer": if_done("x = 7 ** 10**9"),
    "endless recursion": if_done("def r(): return r()\nr()"),
    "huge file": if_done(
        "with open('big', 'wb') as file:\n  for _ in range(2**10): file.write(bytes(2**20))"
    ),
    "folders nested deep": "import os\nfor _ in range(1100):\n  os.mkdir('d'); os.chdir('d')\n",
    "writes outside": if_done("open('CANARY', 'w').write('gone')"),
    "creates a file outside": if_done("open('CANARY.new', 'w')"),
    "appends outside": if_done("open('CANARY', 'a').write('gone')"),
    "truncates outside": if_done("os.truncate('CANARY', 0)"),
    "fills its folder": if_done("for i in range(50):\n  open(str(i), 'wb').write(bytes(2**23))"),
    "removes outside": if_done("os.remove('CANARY')"),
    "renames outside": if_done("os.rename('CANARY', 'CANARY.old')"),
    "changes a mode outside": if_done("os.chmod('CANARY', 0)"),
    "links into its folder": if_done("os.link('CANARY', 'mine')\nopen('mine', 'w').write('gone')"),
    "reads outside": if_done("open('CANARY').read()"),
    "lists the user's files": if_done("os.listdir(os.path.dirname('CANARY'))"),
    "reads the environment": if_done("os.environ['SECRET']"),
    "reads the parent's environment": if_done("open('/proc/PARENT/environ', 'rb').read()"),
    "reads the memory of the tests": if_done("open(f'/proc/{os.getppid()}/mem', 'rb')"),
    "kills its parent": if_done("os.kill(os.getppid(), 9)"),
    "kills the evaluation": if_done("os.kill(PARENT, 9)"),
    "kills all": if_done("os.kill(-1, 9)"),
    "kills its group": if_done("os.killpg(0, 9)"),
    "limits its parent": if_done("resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))"),
    "traces its parent": if_done("if ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) < 0: raise OSError"),
    "opens a socket": if_done("socket.socket()"),
    "connects": if_done("socket.create_connection(('127.0.0.1', PORT), 1)"),
    "starts a command": if_done("subprocess.run(['touch', 'CANARY.new'], check=True)"),
    "becomes a command": if_done("os.execv('/bin/true', ['true'])"),
    "leaves its session": if_done("os.setsid()"),
    "raises its limits": if_done("resource.setrlimit(resource.RLIMIT_NOFILE, (10**6, 10**6))"),
}
PRETENCE = {
    "exit before the asserts": "import sys\nsys.exit(0)",
    "exit in the function": "import sys\ndef f(n): sys.exit(0)",
    "hard exit": "import os\nos._exit(0)",
    "hard exit in the function": "import os\ndef f(n): os._exit(0)",
    "equal to all": "class A:\n  def __eq__(self, other): return True\ndef f(n): return A()",
    "a number equal to all": "class A(int):\n  def __eq__(self, other): return True\ndef f(n): return A(0)",
    "patched exceptions": "import builtins\nbuiltins.AssertionError = KeyError\nf = abs",
    "patched builtins": "import builtins\nbuiltins.all = builtins.any = lambda x: True\nf = abs",
    "patched modules": """
import sys
for module in list(sys.modules.values()):
    for name, value in list(vars(module).items()):
        if callable(value) and 'sandbox' in module.__name__:
            setattr(module, name, lambda *_, **__: ['returned', 3])
def f(n): return 3
""",
    "the caller's variables": """
import sys
def f(n):
    frame = sys._getframe()
    while frame := frame.f_back:
        for value in frame.f_locals.values():
            if hasattr(value, 'held'): value.held = {0: True, 1: True}
    return 0
""",
    "a result on every file": """
import os
for file in range(64):
    for line in (b'["asserts", 2]\\n["assert", 0, true, null]\\n["assert", 1, true, null]\\n',
                 b'["finished", null]\\n',
                 bytes(7) + b'\\x02{}', bytes(7) + b'\\x12["returned", true]'):
        try: os.write(file, line)
        except OSError: pass
def f(n): return 0
""",
    "looks for the tests in memory": """
import gc, re
def f(n):
    for each in gc.get_objects():
        text = repr(each) if isinstance(each, (dict, list, str, bytes)) else ''
        if found := re.search(r'f\\(%d\\) == (\\d+)' % n, text): return int(found[1])
    raise LookupError
""",
    "looks for the tests on its input": "import sys\ntests = sys.stdin.read()\ndef f(n): return tests[:4]",
    "at exit": """
import atexit, os
atexit.register(lambda: os.write(1, b'["finished", null]\\n'))
def f(n): return 0
""",
    "an index": "class A:\n  __eq__ = lambda *_: True\n  __index__ = lambda _: 4712\ndef f(n): return A()",
    "deep answer": "def f(n):\n  x = []\n  for _ in range(10**5): x = [x]\n  return x",
    "long answer": "def f(n): return '3' * 2**25",
    "endless answer": "import itertools\ndef f(n): return itertools.repeat(3)",
    "answer of many digits": "def f(n): return 10 ** 150_000",
    "not a number": "def f(n): return float('nan')",
    "raises all the time": "def f(n): raise AssertionError('f(4711) == 4712')",
    "a broken error": "class E(Exception):\n  def __str__(self): raise self\ndef f(n): raise E",
    "no program": "I would add one to n.",
    "nothing": "",
}

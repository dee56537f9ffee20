"""kiwi-fault as the integration tests start it."""
import os
import subprocess
import tempfile

_HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("KIWI_BUILD_DIR", os.path.join(_HERE, "..", "..", "..", "build")))
LAB = os.path.join(BUILD, "lab", "fault", "kiwi-fault")
FAULT_NODE = os.path.join(BUILD, "node", "fault", "kiwi-node-fault")
NODE = os.environ.get("KIWI_NODE", os.path.join(BUILD, "node", "kiwi-node"))
SCENARIOS = os.path.abspath(os.path.join(_HERE, "..", "..", "scenarios"))

# Exit codes.
PASS, FAIL, UNKNOWN, VACUOUS, ERROR, UNSUPPORTED = range(6)


def scenario(name):
    """The path of one of the library."""
    return os.path.join(SCENARIOS, name + ".scenario")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def lab(*arguments, timeout=120, **more):
    """It has ended; .stdout holds both of its outputs unless told otherwise."""
    more.setdefault("stderr", subprocess.STDOUT)
    return subprocess.run([LAB, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=timeout,
                          check=False, text=True, **more)


class Laboratory:
    """A run of it that goes on meanwhile."""

    def __init__(self, *arguments):
        self._output = tempfile.TemporaryFile(mode="w+", encoding="utf-8")
        self._process = subprocess.Popen([LAB, *arguments], stdin=subprocess.DEVNULL, stdout=self._output,
                                         stderr=subprocess.STDOUT)

    def result(self, timeout):
        """(exit code, both outputs); it is ended when it takes longer."""
        try:
            code = self._process.wait(timeout)
        finally:
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait()
        with self._output as output:
            output.seek(0)
            return code, output.read()


def start_lab(*arguments):
    return Laboratory(*arguments)

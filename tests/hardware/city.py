"""What the tests of the real programs share: a city with one gate, patience, and how a test ends."""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUARDS = ["王建国", "Li", "古丽努尔·阿卜杜拉"]
PIN = "2580"


class Failure(Exception):
    """What was expected and did not happen."""


def until(what, seconds, probe):
    """Asks until the answer is not None or False; after `seconds` it has failed."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class City:
    """A registry, one resident whose pass was revoked and one who may come in, and a gate that knows."""

    def __init__(self, folder, extra=""):
        self.folder, self.programs = folder, ROOT / os.environ.get("BIN", "target/debug")
        for name in ("tongguan", "tongguan-registry"):
            if not (self.programs / name).exists():
                raise Failure(f"{self.programs / name} is missing: run `make build`")
        self.registry("init")
        people = {name: self.registry("person", "add", "--name", name)["person"] for name in ("周某", "李某")}
        self.good, self.revoked = (self.registry("code", kind, "--person", people[name])["code"]
                                   for kind, name in (("live", "李某"), ("printed", "周某")))
        self.registry("revoke", "--person", people["周某"])
        self.registry("publish")
        self.registry("bundle", str(folder / "stick"))
        self.gate("init", "--registry", "", "--root", str(folder / "registry/root.pub"))
        self.gate("sync", "--from", str(folder / "stick"))
        for name in GUARDS:
            self.gate("guard", "add", name, typed=PIN)
        config = folder / "gate/tongguan.toml"
        config.write_text('language = "en"\nlane = "南门 South gate"\n' + config.read_text() + extra)

    def registry(self, *words):
        said = run(self.programs / "tongguan-registry", *words, "--data", self.folder / "registry", "--json")
        return json.loads(said.splitlines()[0])

    def code(self, name):
        """A fresh live code of somebody new."""
        person = self.registry("person", "add", "--name", name)["person"]
        return self.registry("code", "live", "--person", person)["code"]

    def gate(self, *words, typed=""):
        return run(self.programs / "tongguan", *words, "--data", self.folder / "gate", typed=typed)


def run(program, *words, typed=""):
    done = subprocess.run([program, *map(str, words)], input=typed + "\n", capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Failure(f"{program.name} {' '.join(map(str, words[:2]))}: {done.stderr.strip()}")
    return done.stdout


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def expect(event, **fields):
    found = {name: event.get(name) for name in fields}
    if found != fields:
        raise Failure(f"the journal should say {fields}, and says {found}")


def main(test):
    """Runs a test, says in one line how it went."""
    try:
        test()
    except Failure as failure:
        sys.exit(f"{sys.argv[0]}: {failure}")
    print("passed")

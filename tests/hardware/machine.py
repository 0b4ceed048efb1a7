"""An emulated machine that runs the real checkpoint, with Debian's kernel and nothing else but what it needs."""

import codecs
import collections
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import threading
import time

from city import Failure, ROOT, until
from kiosk import Picture


def fetch(folder, *packages, arch, suite=""):
    """Unpacks packages and all they need into a folder, once."""
    environment = {**os.environ, "ARCH": arch, "SUITE": suite}
    if subprocess.run([ROOT / "sysroot/unpack.sh", folder, *packages], env=environment).returncode:
        raise Failure(f"the packages of the emulated machine cannot be fetched: {' '.join(packages)}")


def fetch_qemu(folder, package):
    """QEMU itself: the one of Debian 12 is too old for some of what is emulated here."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    host = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    fetch(folder, package, arch=host, suite={"bookworm": "bookworm-backports"}.get(release, ""))


class Guest:
    """What an emulated machine is made of: a folder of unpacked packages with its kernel, and where its programs find libraries."""

    def __init__(self, folder, triplet, places, tools=""):
        self.folder, self.triplet, self.places, self.tools = folder, triplet, places, tools

    def kernel(self):
        return next((self.folder / "boot").glob("vmlinuz-*"))

    def version(self):
        return self.kernel().name.removeprefix("vmlinuz-")

    def needed(self, start):
        """Programs with the libraries they need, and those need."""
        found, queue = {}, collections.deque(start)
        while queue:
            file = queue.popleft()
            if file.name not in found:
                found[file.name] = file
                says = subprocess.run([f"{self.tools}readelf", "-d", file], capture_output=True, text=True).stdout
                for name in re.findall(r"NEEDED.*\[(.*)\]", says):
                    path = next((place / name for place in self.places if (place / name).exists()), None)
                    if not path:
                        raise Failure(f"{file.name} needs {name}, which no package of the emulated machine holds")
                    queue.append(path)
        return found

    def modules(self, wanted):
        """Kernel modules by name, each after those it depends on; a path is a module of our own."""
        files = {path.name.split(".ko")[0].replace("-", "_"): path
                 for path in (self.folder / "usr/lib/modules" / self.version()).rglob("*.ko*")}
        order = []

        def add(path):
            if path and path not in order:  # what is not there is built in
                depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
                for other in depends[1].decode().split(",") if depends else []:
                    add(files.get(other.replace("-", "_")))
                order.append(path)

        for name in wanted:
            add(name if isinstance(name, pathlib.Path) else files.get(name.replace("-", "_")))
        return order

    def tree(self, folder, init, programs, wanted_modules):
        """A root file system: its first program, busybox, programs with their libraries, and kernel modules in their order."""
        libraries = pathlib.Path("usr/lib") / self.triplet
        tree = folder / "root"
        for place in ("bin", "modules", "usr/bin", "usr/sbin", libraries):
            (tree / place).mkdir(parents=True)
        for link, name in {"lib": "usr/lib", "lib64": "usr/lib", "sbin": "usr/sbin"}.items():
            (tree / link).symlink_to(name)
        shutil.copy(init, tree / "init")
        (tree / "init").chmod(0o755)
        shutil.copy(self.folder / "usr/bin/busybox", tree / "bin/busybox")
        ours = {program.name for program in programs}
        for name, file in self.needed(programs).items():
            to = tree / ("usr/bin" if name in ours else libraries) / name
            subprocess.run([f"{self.tools}strip", "-o", to, file.resolve()], check=True)
            to.chmod(0o755)
            if name.startswith("ld-linux"):
                (tree / "lib" / name).symlink_to(f"{self.triplet}/{name}")
        order = self.modules(wanted_modules)
        for path in order:
            shutil.copy(path, tree / "modules" / path.name)
        (tree / "modules/order").write_text("\n".join(path.name for path in order) + "\n")
        return tree


def pack(tree):
    """Turns a root file system into the image that a kernel starts with."""
    image = tree.with_name("initramfs")
    names = subprocess.run(["find", "."], cwd=tree, capture_output=True, check=True).stdout
    with image.open("wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree, input=names, stdout=out, check=True)
    shutil.rmtree(tree)
    return image


class Machine:
    """QEMU with its lines to the outside: the serial shell, QMP, and qtest where the pins are watched."""

    def __init__(self, folder, qemu, program, arguments, watch=None, accel="tcg", patience=180):
        self.folder, self.asked, self.text = folder, 0, ""
        library = next((qemu / "usr/lib").glob("*-linux-gnu"))
        # Its own loader and libraries: it may be newer than this machine.
        loader = next(qemu.glob("lib*/ld-linux*"))
        line = lambda name: f"unix:{folder / name},server=on,wait=off"
        self.said = folder / "qemu.log"
        self.process = subprocess.Popen(
            [loader, "--library-path", library, qemu / "usr/bin" / program, "-L", qemu / "usr/share/qemu",
             "-L", qemu / "usr/share/seabios", "-display", "none", "-no-reboot", "-nic", "none", "-qmp", line("qmp"), "-qtest", line("qtest"), "-accel", accel, *arguments],
            env={**os.environ, "QEMU_MODULE_DIR": str(library / "qemu")}, stdin=subprocess.DEVNULL,
            stdout=self.said.open("w"), stderr=subprocess.STDOUT)
        try:
            self.open(watch, patience)
        except BaseException:
            self.close()
            raise

    def open(self, watch, patience):
        self.serial = self.connect("serial")
        threading.Thread(target=self.listen, daemon=True).start()
        self.qmp_line = self.connect("qmp").makefile("rw")
        self.qmp_line.readline()
        self.qmp("qmp_capabilities")
        self.pins = []
        if watch:
            self.qtest = self.connect("qtest").makefile("rw")
            self.tell_qtest(f"irq_intercept_out {watch}")
            threading.Thread(target=lambda: [self.pins.append((time.monotonic(), l.strip())) for l in self.qtest], daemon=True).start()
        until("the emulated machine is up", patience, lambda: self.alive() and "machine is up" in self.text)

    def alive(self):
        """Whether it runs; says why not."""
        if self.process.poll() is not None:
            raise Failure(f"QEMU has ended: {self.said.read_text()[-1000:]}{self.text[-1000:]}")
        return True

    def connect(self, name):
        def try_it():
            self.alive()
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self.folder / name))
                return line
            except OSError:
                return None
        return until(f"QEMU's line {name}", 20, try_it)

    def listen(self):
        # A character may come in two pieces.
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while data := self.serial.recv(4096):
            self.text += decoder.decode(data).replace("\r", "")

    def tell_qtest(self, line):
        self.qtest.write(line + "\n")
        self.qtest.flush()

    def qmp(self, command, **arguments):
        self.qmp_line.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp_line.flush()
        while True:
            answer = json.loads(self.qmp_line.readline())
            if "error" in answer:
                raise Failure(f"QEMU does not {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def shell(self, command, seconds=60):
        """What a command in the machine prints."""
        self.asked += 1
        start, mark = len(self.text), f"<end {self.asked}>"
        self.serial.sendall(f"{command}\necho '<'end {self.asked}'>'\n".encode())
        until(f"an answer of the machine to: {command}", seconds, lambda: self.alive() and mark in self.text[start:])
        return self.text[start:].split(mark)[0]

    def look(self):
        file = self.folder / "screen.ppm"
        self.qmp("screendump", filename=str(file))
        return Picture.ppm(file.read_bytes())

    def touch(self, x, y, size):
        finger = lambda kind, axis, value, tracking: {
            "type": "mtt", "data": {"type": kind, "slot": 0, "tracking-id": tracking, "axis": axis, "value": value}}
        button = lambda down: {"type": "btn", "data": {"button": "touch", "down": down}}
        scaled = [int(at * 0x7FFF / whole) for at, whole in zip((x, y), size)]
        self.qmp("input-send-event", events=[button(True), finger("begin", "x", 0, 1), finger("data", "x", scaled[0], 1),
                                             finger("data", "y", scaled[1], 1)])
        time.sleep(0.1)
        self.qmp("input-send-event", events=[finger("end", "x", 0, -1), button(False)])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

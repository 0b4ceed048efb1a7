"""An emulated arm64 machine that runs the real checkpoint, with Debian's kernel and nothing else but what it needs."""

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

from kiosk import Failure, Picture, ROOT, WORK, until

GUEST, QEMU = WORK / "guest", WORK / "qemu"
LIBRARIES = "usr/lib/aarch64-linux-gnu"
PROGRAM = ROOT / "target/aarch64-unknown-linux-gnu/debug/tongguan"


def prepare():
    """Fetches QEMU, the kernel and the libraries, once."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    host = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    # The QEMU of Debian 12 itself has no touch screen.
    suite = {"bookworm": "bookworm-backports"}.get(release, "")
    unpack = ROOT / "sysroot/unpack.sh"
    for command, more in [
        ([unpack, QEMU, "qemu-system-arm"], {"ARCH": host, "SUITE": suite}),
        ([unpack, GUEST, "linux-image-arm64", "busybox-static", "udev", "libinput10", "libxkbcommon0", "libfontconfig1",
          "xkb-data", "libasound2"], {}),
    ]:
        if subprocess.run(command, env={**os.environ, **more}).returncode:
            raise Failure("the packages of the emulated machine cannot be fetched")
    if not PROGRAM.exists():
        raise Failure(f"{PROGRAM} is missing: run `make pi PROFILE=dev`")


def kernel():
    return next((GUEST / "boot").glob("vmlinuz-*"))


def version():
    return kernel().name.removeprefix("vmlinuz-")


def needed(start):
    """Programs with the libraries they need, and those need."""
    found, queue = {}, collections.deque(start)
    while queue:
        file = queue.popleft()
        if file.name not in found:
            found[file.name] = file
            says = subprocess.run(["aarch64-linux-gnu-readelf", "-d", file], capture_output=True, text=True).stdout
            names = re.findall(r"NEEDED.*\[(.*)\]", says)
            places = [GUEST / LIBRARIES, GUEST / "usr/lib/systemd", GUEST / LIBRARIES / "systemd"]
            for name in names:
                path = next((place / name for place in places if (place / name).exists()), None)
                if not path:
                    raise Failure(f"{file.name} needs {name}, which no package of the emulated machine holds")
                queue.append(path)
    return found


def modules(wanted):
    """Kernel modules by name, each after those it depends on."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path
             for path in (GUEST / "usr/lib/modules" / version()).rglob("*.ko*")}
    order = []

    def add(name):
        path = files.get(name.replace("-", "_"))
        if path and path not in order:  # what is not there is built in
            depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
            for other in depends[1].decode().split(",") if depends else []:
                add(other)
            order.append(path)

    for name in wanted:
        add(name)
    return order


def initramfs(folder, wanted_modules, data):
    """A root file system of the checkpoint, what it needs, and files of the test's own."""
    tree = folder / "root"
    for place in ("bin", "modules", "usr/lib/systemd", LIBRARIES, "usr/bin", "usr/share/X11", "etc", "usr/sbin"):
        (tree / place).mkdir(parents=True)
    for name in ("lib", "sbin"):
        (tree / name).symlink_to(f"usr/{name}")
    shutil.copy(pathlib.Path(__file__).with_name("init"), tree / "init")
    (tree / "init").chmod(0o755)
    shutil.copy(GUEST / "usr/bin/busybox", tree / "bin/busybox")
    subprocess.run(["aarch64-linux-gnu-strip", "-o", tree / "usr/bin/tongguan", PROGRAM], check=True)
    udev = [(GUEST / place).resolve() for place in ("usr/bin/udevadm", "usr/lib/systemd/systemd-udevd")]
    for name, file in needed([PROGRAM, *udev]).items():
        if name != PROGRAM.name:
            shutil.copy(file, tree / ("usr/bin" if name == "udevadm" else LIBRARIES) / name)
    (tree / "usr/lib/systemd/systemd-udevd").symlink_to("../../bin/udevadm")
    (tree / "usr/lib/ld-linux-aarch64.so.1").symlink_to("aarch64-linux-gnu/ld-linux-aarch64.so.1")
    # Fonts too: Slint has its own for our words, but ends if fontconfig knows of none.
    for place in ("usr/share/X11/xkb", "usr/share/libinput", "usr/lib/udev/rules.d", "etc/fonts", "usr/share/fontconfig", "usr/share/fonts"):
        shutil.copytree(GUEST / place, tree / place, symlinks=True, dirs_exist_ok=True)
    order = modules(wanted_modules)
    for path in order:
        shutil.copy(path, tree / "modules" / path.name)
    (tree / "modules/order").write_text("\n".join(path.name for path in order) + "\n")
    for name, content in data.items():
        (shutil.copytree if content.is_dir() else shutil.copy)(content, tree / name)
    names = subprocess.run(["find", "."], cwd=tree, capture_output=True, check=True).stdout
    image = folder / "initramfs"
    with image.open("wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree, input=names, stdout=out, check=True)
    shutil.rmtree(tree)
    return image


class Machine:
    """QEMU with its lines to the outside: the serial shell, QMP, and qtest where the pins are watched."""

    def __init__(self, folder, arguments, watch=None):
        self.folder, self.asked, self.text = folder, 0, ""
        library = next((QEMU / "usr/lib").glob("*-linux-gnu"))
        program = QEMU / "usr/bin/qemu-system-aarch64"
        # Its own loader and libraries: it may be newer than this machine.
        loader = next(QEMU.glob("lib*/ld-linux*"))
        line = lambda name: f"unix:{folder / name},server=on,wait=off"
        self.said = folder / "qemu.log"
        self.process = subprocess.Popen(
            [loader, "--library-path", library, program, "-L", QEMU / "usr/share/qemu", "-display", "none", "-no-reboot",
             "-nic", "none", "-qmp", line("qmp"), "-qtest", line("qtest"), "-accel", "tcg", *arguments],
            env={**os.environ, "QEMU_MODULE_DIR": str(library / "qemu")}, stdin=subprocess.DEVNULL,
            stdout=self.said.open("w"), stderr=subprocess.STDOUT)
        try:
            self.open(watch)
        except BaseException:
            self.close()
            raise

    def open(self, watch):
        self.serial = self.connect("serial")
        threading.Thread(target=self.listen, daemon=True).start()
        self.qmp_line = self.connect("qmp").makefile("rw")
        self.qmp_line.readline()
        self.qmp("qmp_capabilities")
        self.pins = []
        if watch:
            qtest = self.connect("qtest").makefile("rw")
            qtest.write(f"irq_intercept_out {watch}\n")
            qtest.flush()
            threading.Thread(target=lambda: [self.pins.append((time.monotonic(), l.strip())) for l in qtest], daemon=True).start()
        until("the emulated machine is up", 180, lambda: self.alive() and "machine is up" in self.text)

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

#!/usr/bin/env python3
"""The checkpoint's kiosk on emulated machines: a touch screen, and a Raspberry Pi 3 that starts in 1970. `make kiosk-pi` starts it."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from city import City, Failure, ROOT, events, expect, main, until
from kiosk import Kiosk, RUNGS, SIZE, WORK, frames, guards_way, places
from machine import Guest, Machine, fetch, fetch_qemu, pack

PICTURES = WORK.parent / "kiosk-pi"
QEMU = WORK / "qemu"
LIBRARIES = WORK / "guest/usr/lib/aarch64-linux-gnu"
GUEST = Guest(WORK / "guest", "aarch64-linux-gnu", [LIBRARIES, WORK / "guest/usr/lib/systemd", LIBRARIES / "systemd"],
              "aarch64-linux-gnu-")
PROGRAM = ROOT / "target/aarch64-unknown-linux-gnu/debug/tongguan"
# Feeds whoever opens the camera's pipe from whatever /camera/now links to.
CAMERA = ("mkfifo /camera/film.y4m; (while true; do (cat /camera/header; while cat /camera/now; do true; done) "
          ">/camera/film.y4m; done) </dev/null 2>/dev/null &")


class Pi(Kiosk):
    """The real checkpoint on the bare screen of an emulated machine."""

    def __init__(self, machine):
        super().__init__(places(), PICTURES, patience=60, pause=1.5)
        self.machine = machine
        self.look, self.press = machine.look, lambda x, y: machine.touch(x, y, SIZE)
        self.show("nobody")
        machine.shell(CAMERA)

    def run(self, gate):
        self.machine.shell(f"tongguan run --data /gate --screen linuxkms --gate {gate} --camera 'replay:/camera/film.y4m?fps=5&loop=0'"
                           " </dev/null >/log 2>&1 & gate=$!")

    def show(self, code):
        self.machine.shell(f"ln -sf {code} /camera/now")

    def journal(self):
        return events(self.machine.shell("tongguan events --data /gate --json"))


def prepare():
    fetch_qemu(QEMU, "qemu-system-arm")
    fetch(GUEST.folder, "linux-image-arm64", "busybox-static", "udev", "libinput10", "libxkbcommon0", "libfontconfig1", "xkb-data",
          "libasound2", arch="arm64")
    if not PROGRAM.exists():
        raise Failure(f"{PROGRAM} is missing: run `make pi PROFILE=dev`")


def initramfs(folder, modules, city, **codes):
    """The checkpoint with touch and fonts, the gate's data folder, and what its camera will see."""
    udev = GUEST.folder / "usr/bin/udevadm"
    tree = GUEST.tree(folder, pathlib.Path(__file__).with_name("kiosk-init"), [PROGRAM, udev], modules)
    (tree / "usr/lib/systemd").mkdir()
    (tree / "usr/lib/systemd/systemd-udevd").symlink_to("../../bin/udevadm")
    # Fonts too: Slint has its own for our words, but ends if fontconfig knows of none.
    for place in ("usr/share/X11/xkb", "usr/share/libinput", "usr/lib/udev/rules.d", "etc/fonts", "usr/share/fontconfig", "usr/share/fonts"):
        shutil.copytree(GUEST.folder / place, tree / place, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(folder / "gate", tree / "gate")
    (tree / "camera").mkdir()
    header, drawings = frames(city, **codes)
    for name, content in {"header": header, **drawings}.items():
        (tree / "camera" / name).write_bytes(content)
    return pack(tree)


def watched(machine, way, kiosk):
    try:
        way()
    except (Failure, OSError) as failure:
        machine.alive()
        kiosk.keep("failed")
        raise Failure(f"{failure}\n{machine.shell('tail -n 20 /log; dmesg | tail -n 5')}")
    finally:
        machine.close()


def touch_screen(folder):
    """A guard at a screen behind DRM, with fingers."""
    print("a touch screen (virt, virtio-gpu, virtio-multitouch):", flush=True)
    # A verdict stands longer than at a gate: under emulation everybody is slow.
    city = City(folder, "\n[clock]\nunsynced_error_s = 60\n[show]\nverdict_ms = 10000\n")
    image = initramfs(folder, ["virtio_pci", "virtio_gpu", "virtio_input", "evdev"], city)
    machine = Machine(folder, QEMU, "qemu-system-aarch64", [
        "-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024", "-kernel", GUEST.kernel(), "-initrd", image,
        "-append", "console=ttyAMA0 rdinit=/init panic=-1 quiet vt.global_cursor_default=0",
        "-serial", f"unix:{folder / 'serial'},server=on,wait=off",
        "-device", "virtio-gpu-pci,xres={},yres={}".format(*SIZE), "-device", "virtio-multitouch-pci"])
    kiosk = Pi(machine)
    kiosk.run("sim")
    watched(machine, lambda: guards_way(kiosk), kiosk)


def uptime(machine):
    return float(machine.shell("cat /proc/uptime").split()[-2])


# The Pi 3's registers at which QEMU takes an input for high and low.
HIGH, LOW = 0x3F20001C, 0x3F200028
RELAY, PASSAGE, FIRE = 17, 5, 6


def set_pin(machine, pin, high):
    machine.tell_qtest(f"writel {HIGH if high else LOW:#x} {1 << pin:#x}")


def switched(machine, way, since, seconds):
    """When the relay went up ("raise") or down ("lower") after a moment."""
    said = f"{way} {RELAY}"
    return until(f"the relay is seen to {said}", seconds,
                 lambda: next((at for at, line in machine.pins if at > since and line.endswith(said)), None))


def contacts(machine, kiosk):
    """A fire, somebody who slips through, and a door that stays open, on the Pi's inputs."""
    machine.shell("killall tongguan; sleep 2")
    gate = f"pulse_ms = 40000\\npassage_line = {PASSAGE}\\npassage_active = \"high\"\\ndoor_held_s = 2\\nfire_line = {FIRE}"
    machine.shell(f"printf '\\n[gate]\\n{gate}\\n' >>/gate/tongguan.toml")
    kiosk.show("nobody")
    kiosk.run("rppal")
    kiosk.sees("ready")
    began = time.monotonic()
    set_pin(machine, FIRE, True)
    switched(machine, "raise", began, 20)
    time.sleep(2)
    kiosk.keep("fire")
    began = time.monotonic()
    set_pin(machine, FIRE, False)
    switched(machine, "lower", began, 20)
    set_pin(machine, PASSAGE, True)
    time.sleep(6)
    set_pin(machine, PASSAGE, False)
    wanted = ["fire", "fire_over", "tailgate", "door_held", "door_closed"]
    until(f"the journal says {wanted}", 30, lambda: [event["reason"] for event in kiosk.journal()][-5:] == wanted)
    print("  fire, tailgater and held door: seen, the relay obeys, and the journal has them")


def killed(machine, kiosk):
    """The program is killed, hangs, or is killed with its keeper while the relay is energised for 40 s."""
    for name, end, seconds in [("killed", "kill -9 $gate", 10), ("hung", "kill -STOP $gate", 60)]:
        began = time.monotonic()
        kiosk.show(name)
        switched(machine, "raise", began, 60)
        began = time.monotonic()
        machine.shell(end)
        down = switched(machine, "lower", began, seconds)
        print(f"  the program is {name} in mid-pulse: the relay is released after {down - began:.1f} s of this machine's time")
        kiosk.show("nobody")
        until("the program has ended", 20, lambda: "gone" in machine.shell("kill -0 $gate 2>/dev/null || echo gone"))
        kiosk.run("rppal")
        kiosk.sees("ready")
    began = time.monotonic()
    kiosk.show("both-killed")
    switched(machine, "raise", began, 60)
    machine.shell("killall -9 tongguan; sleep 1")
    began = time.monotonic()
    machine.shell("tongguan release --data /gate")
    switched(machine, "lower", began, 20)
    print("  both are killed: `tongguan release`, which the service runs after every end, releases it")


def pi_of_1970(folder):
    """A Raspberry Pi 3 without network or battery clock: it says so, asks the guard; set right, its relay opens the gate."""
    print("a Raspberry Pi 3 in 1970 (raspi3b, simple-framebuffer, GPIO 17):", flush=True)
    city = City(folder)
    image = initramfs(folder, ["evdev"], city, **{name: city.code(name) for name in ("killed", "both-killed", "hung")})
    blob = folder / "pi.dtb"
    shutil.copy(GUEST.folder / "usr/lib" / f"linux-image-{GUEST.version()}" / "broadcom/bcm2837-rpi-3-b.dtb", blob)
    # What the Pi's firmware adds, at the place where QEMU keeps the screen.
    node, (width, height) = "/chosen/framebuffer@3c100000", SIZE
    put = lambda options, *words: subprocess.run(["fdtput", *options, blob, *words], check=True)
    put(["-c"], node)
    for name in ("#address-cells", "#size-cells"):
        put(["-t", "i"], "/chosen", name, "1")
    put([], "/chosen", "ranges")
    put(["-t", "s"], node, "compatible", "simple-framebuffer")
    put(["-t", "s"], node, "format", "x8r8g8b8")
    put(["-t", "x"], node, "reg", "3c100000", f"{width * height * 4:x}")
    for name, value in {"width": width, "height": height, "stride": width * 4}.items():
        put(["-t", "i"], node, name, str(value))
    screen = [word for name, value in {"xres": width, "yres": height, "bpp": 32, "pixo": 0}.items()
              for word in ("-global", f"bcm2835-fb.{name}={value}")]
    machine = Machine(folder, QEMU, "qemu-system-aarch64", [
        "-M", "raspi3b", "-kernel", GUEST.kernel(), "-dtb", blob, "-initrd", image, *screen, "-serial", "null",
        "-serial", f"unix:{folder / 'serial'},server=on,wait=off",
        "-append", "console=ttyS1,115200 iomem=relaxed rdinit=/init panic=-1 quiet vt.global_cursor_default=0"],
        watch="/machine/soc/peripherals/gpio")
    kiosk = Pi(machine)

    def way():
        started = uptime(machine)
        kiosk.run("rppal")
        kiosk.sees("ready")
        stages = re.findall(r"^(first program|devices) at ([0-9.]+) s$", machine.text, re.M)
        print("  from power to ready, in its own time:", ", ".join(
            f"{name} {float(at):.1f} s" for name, at in [*stages, ("tongguan run", started), ("ready on the screen", uptime(machine))]))
        time.sleep(3)
        doubting = kiosk.keep("1970")
        red = doubting.has(RUNGS["red"], box=(0, 380) + SIZE)
        if red < 50:
            raise Failure(f"the foot of the page should say in red that the time is not known; {red} red pixels there")
        kiosk.show("good")
        kiosk.sees("confirm")
        kiosk.keep("1970-confirm")
        if any("raise 17" in said for _, said in machine.pins):
            raise Failure("the gate opened without knowing the time")
        expect(kiosk.journal()[-1], verdict="confirm", reason="clock_uncertain")
        machine.shell("killall tongguan; sleep 2")
        machine.shell("printf '\\n[clock]\\nunsynced_error_s = 60\\n' >>/gate/tongguan.toml")
        machine.shell(f"date -u -s @{int(time.time())}")
        kiosk.show("nobody")
        kiosk.run("rppal")
        kiosk.sees("ready")
        kiosk.show("good")
        kiosk.sees("pass")
        kiosk.keep("pass")
        until("the relay closes again", 20, lambda: any("lower 17" in said for _, said in machine.pins))
        up, down = (next(at for at, said in machine.pins if f"{way} 17" in said) for way in ("raise", "lower"))
        print(f"  the relay's pulse: {(down - up) * 1000:.0f} ms of this machine's time")
        contacts(machine, kiosk)
        killed(machine, kiosk)

    watched(machine, way, kiosk)


def test():
    prepare()
    shutil.rmtree(PICTURES, ignore_errors=True)
    for way in (touch_screen, pi_of_1970):
        with tempfile.TemporaryDirectory() as folder:
            way(pathlib.Path(folder))


main(test)

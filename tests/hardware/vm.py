#!/usr/bin/env python3
"""The checkpoint with a camera and a relay, in a VM: Debian's stock kernel with its own uvcvideo and gpiochip drivers, a USB webcam
that is a program of ours behind dummy_hcd, and gpio-sim. `make hardware-test` starts it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from city import City, Failure, ROOT, events, expect, main, run, until
from machine import Guest, Machine, fetch, fetch_qemu, pack

WORK = ROOT / "target/hardware"
QEMU, KERNEL, GPIO_SIM = WORK / "qemu", WORK / "kernel", WORK / "gpio-sim"
HERE = pathlib.Path(__file__).parent
# The programs are built on this machine: their libraries are its own.
GUEST = Guest(WORK / "guest", "x86_64-linux-gnu", [pathlib.Path("/usr/lib/x86_64-linux-gnu"), pathlib.Path("/lib64")])
MODULES = ["virtio_pci", "9p", "9pnet_virtio", "configfs", "dummy_hcd", "gadgetfs", "uvcvideo", GPIO_SIM / "gpio_sim.ko"]
CHIP = "pinctrl-bcm2711"
SETTINGS = f'\n[gate]\nchip = "{CHIP}"\n\n[clock]\nunsynced_error_s = 60\n'
# What a pulse of 500 ms may be under emulation, in ms.
PULSE = range(400, 651)


def prepare():
    """Fetches QEMU, the kernel and its sources, builds gpio-sim; once."""
    fetch_qemu(QEMU, "qemu-system-x86")
    fetch(GUEST.folder, "linux-image-amd64", "busybox-static", arch="amd64")
    series = ".".join(GUEST.version().split(".")[:2])
    fetch(KERNEL, f"linux-headers-{GUEST.version()}", f"linux-source-{series}", arch="amd64")
    if subprocess.run([HERE / "gpio-sim.sh", KERNEL, GPIO_SIM]).returncode:
        raise Failure("gpio-sim cannot be built")


def boot(folder, image):
    """Starts the VM: at its own speed, if this machine lets it, else emulated."""
    arguments = ["-M", "q35", "-smp", "2", "-m", "1024", "-kernel", GUEST.kernel(), "-initrd", image,
                 "-append", "console=ttyS0 rdinit=/init panic=-1 quiet mitigations=off",
                 "-virtfs", f"local,path={folder / 'host'},mount_tag=host,security_model=none",
                 "-serial", f"unix:{folder / 'serial'},server=on,wait=off"]
    if os.access("/dev/kvm", os.W_OK):
        # There may be a KVM that does not work inside another VM.
        try:
            return Machine(folder, QEMU, "qemu-system-x86_64", [*arguments, "-cpu", "host"], accel="kvm", patience=8)
        except Failure:
            print("  KVM does not start this kernel within 8 s: emulated", flush=True)
            for line in ("serial", "qmp", "qtest"):
                (folder / line).unlink(missing_ok=True)
    return Machine(folder, QEMU, "qemu-system-x86_64", [*arguments, "-cpu", "max"])


class Gate:
    """The checkpoint in the VM, and what a person does there: plugs, holds codes before the lens, looks at the relay."""

    def __init__(self, folder):
        (folder / "host").mkdir()
        self.city, self.folder, self.drawn = City(folder, SETTINGS), folder, 0
        programs = [self.city.programs / name for name in ("tongguan", "webcam", "pin")]
        tree = GUEST.tree(folder, HERE / "vm-init", programs, MODULES)
        shutil.copytree(folder / "gate", tree / "gate")
        self.machine = boot(folder, pack(tree))
        self.shell = self.machine.shell

    def level(self):
        return self.shell("cat /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio17/value").strip()


def test():
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        gate = Gate(pathlib.Path(folder))
        try:
            print(f"  up after {time.monotonic() - start:.0f} s", flush=True)
            if gate.level() != "0":
                raise Failure("line 17 should be low before anybody has taken it")
        finally:
            gate.machine.close()


main(test)

#!/usr/bin/env python3
"""The arm64 package in a fresh Debian of that architecture: install, set up, upgrade, downgrade, purge. `make deb-test` starts it.

The programs of the other architecture run by QEMU's user emulation in a chroot, so it wants root. systemd is installed there and does
not run: what its units do is not seen here."""

import atexit
import hashlib
import json
import os
import pathlib
import pty
import shutil
import sqlite3
import subprocess
import sys

WORK = pathlib.Path(__file__).resolve().parents[2]
BIN = WORK / os.environ.get("BIN", "target/debug")
BASE, ROOT = WORK / "target/deb/debian", WORK / "target/deb/root"
CONFIG, DATA = "/etc/tongguan/gate.toml", "/var/lib/tongguan/gate"
# What the package itself depends on, and what every Debian has.
PACKAGES = ["base-files", "base-passwd", "bash", "coreutils", "dash", "diffutils", "dpkg", "findutils", "grep", "libc-bin", "libpam-modules", "login",
            "passwd", "sed", "tar", "util-linux", "libasound2", "libfontconfig1", "libinput10", "libudev1", "libxkbcommon0", "xkb-data",
            "fonts-dejavu-core", "systemd", "udev"]
BINFMT = pathlib.Path("/proc/sys/fs/binfmt_misc")
# An ELF file of AArch64, run by the interpreter that the kernel opens now (F), so that it need not be in the chroot.
ELF = (r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
       r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:%s:F")


class Failure(Exception):
    """What was expected and did not happen."""


def expect(what, true):
    if not true:
        raise Failure(what)
    print(f"  {what}", flush=True)


def emulate():
    """Lets the kernel run arm64 programs, for as long as this takes."""
    if os.uname().machine == "aarch64" or (BINFMT / "qemu-aarch64").exists():
        return
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], check=True)
    (BINFMT / "register").write_text(ELF % shutil.which("qemu-aarch64-static"))
    atexit.register(lambda: (BINFMT / "qemu-aarch64").write_text("-1"))


def debian():
    """A Debian whose dpkg knows what is unpacked there."""
    if subprocess.run([WORK / "sysroot/unpack.sh", BASE, *PACKAGES]).returncode:
        raise Failure("the packages of the fresh system cannot be fetched")
    shutil.rmtree(ROOT, ignore_errors=True)
    subprocess.run(["cp", "-a", BASE, ROOT], check=True)
    for place in ("proc", "dev", "sys", "tmp", "run", "boot/firmware", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
        (ROOT / place).mkdir(parents=True, exist_ok=True)
    for name in ("passwd", "group"):
        shutil.copy(ROOT / f"usr/share/base-passwd/{name}.master", ROOT / f"etc/{name}")
    # As pam-auth-update would say it at greater length.
    (ROOT / "etc/pam.d/other").write_text("".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session")))
    if not (ROOT / "usr/bin/sh").exists():
        (ROOT / "usr/bin/sh").symlink_to("dash")
    status = []
    for deb in sorted(pathlib.Path(f"{BASE}.apt/archives").glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "--field", deb], capture_output=True, text=True, check=True).stdout
        package, rest = control.split("\n", 1)
        status.append(f"{package}\nStatus: install ok installed\n{rest}")
        (ROOT / f"var/lib/dpkg/info/{package.split()[1]}.list").touch()
    (ROOT / "var/lib/dpkg/status").write_text("\n".join(status))


def there(*command, code=0, typed=None):
    """Runs a command in the fresh system, and gives what it said. `typed` is typed on a terminal."""
    inner = ["unshare", "--mount", "--pid", "--fork", "sh", "-c",
             f'mount -t proc proc {ROOT}/proc && mount --rbind /dev {ROOT}/dev && exec chroot {ROOT} "$@"', "-", *map(str, command)]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    terminal = None
    if typed is not None:
        ours, terminal = pty.openpty()
        os.write(ours, typed.encode())
    done = subprocess.run(inner, stdin=subprocess.DEVNULL if terminal is None else terminal, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=environment)
    if code is not None and done.returncode != code:
        raise Failure(f"{' '.join(map(str, command))}: exit code {done.returncode}, not {code}\n{done.stdout}")
    return done.stdout


def as_gate(*command, code=0):
    return there("runuser", "-u", "tongguan", "--", "tongguan", *command, code=code)


def install(deb):
    shutil.copy(deb, ROOT / "tmp/tongguan.deb")
    return there("dpkg", "--install", "/tmp/tongguan.deb")


def package(profile, version):
    done = subprocess.run([WORK / "sysroot/deb.sh", profile], env={**os.environ, "VERSION": version}, capture_output=True, text=True)
    if done.returncode:
        raise Failure(done.stderr)
    return WORK / done.stdout.split(":")[0]


def fingerprints():
    files = sorted(path for path in (ROOT / DATA[1:]).rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def registry(*arguments):
    city = ROOT / "tmp/city"
    done = subprocess.run([BIN / "tongguan-registry", *arguments, "--data", city, "--json"], capture_output=True, text=True)
    if done.returncode:
        raise Failure(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


def fresh(deb):
    said = install(deb)
    expect("a fresh system takes the package and says what to do next", "tongguan init --config" in said)
    expect("the program runs", there("tongguan", "--version").startswith("tongguan "))
    groups = there("id", "-nG", "tongguan").split()
    expect("its user is in the groups of the devices", {"video", "render", "input", "audio", "dialout", "gpio"} <= set(groups))
    wants = ROOT / "etc/systemd/system/multi-user.target.wants"
    expect("gate and first set-up start by themselves", sorted(path.name for path in wants.iterdir()) ==
           ["tongguan-firstboot.service", "tongguan@gate.service"])
    said = as_gate("doctor", "--config", CONFIG, code=None)
    expect("doctor says that it is not set up", "tongguan init" in said)


def first_boot():
    registry("init")
    person = registry("person", "add", "--name", "周某")["person"]
    subprocess.run([BIN / "tongguan-registry", "bundle", ROOT / "tmp/stick", "--data", ROOT / "tmp/city"], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.copy(ROOT / "tmp/city/root.pub", ROOT / "boot/firmware/root.pub")
    config = (ROOT / CONFIG[1:]).read_text().replace("unsynced_error_s = 0", "unsynced_error_s = 60")
    (ROOT / "boot/firmware/tongguan.toml").write_text(config)
    there("/usr/lib/tongguan/firstboot")
    said = (ROOT / "boot/firmware/tongguan-device.txt").read_text()
    expect("the first start makes the device's key, and leaves its public half on the boot partition", "this device" in said)
    mode = there("stat", "-c", "%U %a", f"{DATA}/device.pem", f"{DATA}").split()
    expect("the key belongs to the gate's user alone", mode == ["tongguan", "600", "tongguan", "700"])
    as_gate("sync", "--config", CONFIG, "--from", "/tmp/stick")
    code = registry("code", "live", "--person", person)["code"]
    expect("a good code passes", "pass" in as_gate("verify", "--config", CONFIG, "--json", code))
    said = as_gate("doctor", "--config", CONFIG, code=None)
    expect("doctor has something to say about lists and clock", "tongguan init" not in said and len(said.splitlines()) > 3)
    there("tongguan", "release", "--config", CONFIG)


def upgrade(profile):
    kept = fingerprints()
    install(package(profile, "9.9.9-1"))
    expect("an upgrade keeps data and configuration", fingerprints() == kept and
           "unsynced_error_s = 60" in (ROOT / CONFIG[1:]).read_text())
    as_gate("events", "--config", CONFIG, "--json")


def downgrade(deb):
    # What a later version does to its databases first of all.
    for name in ("trust.db", "journal.db"):
        database = sqlite3.connect(ROOT / DATA[1:] / name)
        newest = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {newest + 1}")
        database.close()
    kept = fingerprints()
    install(deb)
    for command in (["run", "--gate", "sim", "--screen", "none", "--camera", "none"], ["events"]):
        said = as_gate(command[0], "--config", CONFIG, *command[1:], code=2)
        expect(f"an earlier version refuses the store of a later one: {command[0]}", "written by a later version of tongguan" in said)
    after = fingerprints()
    expect("and leaves it as it was", all(after[name] == kept[name] for name in ("trust.db", "journal.db", "device.pem")))


def purge(deb):
    said = there("dpkg", "--purge", "tongguan")
    expect("purge without anybody to ask keeps the data, and says where", f"is kept" in said and (ROOT / DATA[1:] / "device.pem").exists())
    expect("and takes the configuration and the links", not (ROOT / CONFIG[1:]).exists() and
           not list((ROOT / "etc/systemd/system").rglob("tongguan*")))
    for typed, gone in (("\n", False), ("y\n", True)):
        install(deb)
        there("dpkg", "--purge", "tongguan", typed=typed)
        expect(f"purge on a terminal: {typed.strip() or 'return'} {'removes' if gone else 'keeps'} the data",
               (ROOT / DATA[1:]).exists() != gone)


def main(profile):
    if os.geteuid() != 0:
        sys.exit("this makes a chroot: run it as root (sudo -E make deb-test)")
    emulate()
    debian()
    deb = package(profile, "0.1.0-1")
    try:
        fresh(deb)
        first_boot()
        upgrade(profile)
        downgrade(deb)
        purge(deb)
    except (Failure, OSError) as failure:
        sys.exit(f"FAILED: {failure}")
    shutil.rmtree(ROOT)


main(sys.argv[1] if len(sys.argv) > 1 else "release")

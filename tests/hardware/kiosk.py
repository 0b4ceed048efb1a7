"""What the kiosk's tests share: pictures of a screen, and a guard's way through the pages."""

import json
import os
import pathlib
import struct
import threading
import time
import zlib

from city import Failure, GUARDS, PIN, ROOT, expect, run, until

WORK = ROOT / "target/kiosk"
SIZE = (800, 480)
# The grounds of ui/theme.slint.
FACES = {"ready": (0x0F, 0x1C, 0x2B), "pass": (0x00, 0x61, 0x3F), "confirm": (0xFF, 0xC2, 0x1A), "deny": (0xAC, 0x0A, 0x1E)}
RUNGS = {"amber": (0xFF, 0xC2, 0x1A), "red": (0xFF, 0x8F, 0x86)}
PLATE = (0x1A, 0x2C, 0x40)
# Where answers and reasons stand, but for the button that leads to them.
ABOVE = (440, 68, 780, 230)
# A document's number with a true check digit, of nobody.
VISITOR = "440308199901101512"


class Picture:
    """A picture of a screen: rows of RGB."""

    def __init__(self, size, rgb):
        self.size, self.rgb = size, rgb

    @classmethod
    def ppm(cls, data):
        kind, width, height, most, rgb = data.split(maxsplit=3)[:3] + [None, None]
        head = b"%s\n%s %s\n255\n" % (kind, width, height)
        if kind != b"P6" or not data.startswith(head):
            raise Failure("not a picture as QEMU writes them")
        return cls((int(width), int(height)), data[len(head):])

    @classmethod
    def xwd(cls, data):
        """As Xvfb keeps its screen: 32 bits a pixel, blue first, after a header and a colour table."""
        header = struct.unpack(">25I", data[:100])
        start = header[0] + header[19] * 12
        width, height, stride = header[4], header[5], header[12]
        rows = [data[start + y * stride:][:width * 4] for y in range(height)]
        bgrx = b"".join(rows)
        rgb = bytearray(width * height * 3)
        for channel in range(3):
            rgb[channel::3] = bgrx[2 - channel::4]
        return cls((width, height), bytes(rgb))

    def at(self, x, y):
        start = (y * self.size[0] + x) * 3
        return tuple(self.rgb[start:start + 3])

    def face(self):
        """Which face is shown: the ground in the corner, where nothing is ever drawn. None if it is none of ours."""
        near = lambda face: all(abs(a - b) <= 4 for a, b in zip(self.at(3, 3), FACES[face]))
        return next((face for face in FACES if near(face)), None)

    def changed(self, other, box=(0, 0) + SIZE):
        """Which part of the pixels in a box differs from another picture's."""
        left, top, right, bottom = box
        rows = [slice((y * self.size[0] + left) * 3, (y * self.size[0] + right) * 3) for y in range(top, bottom)]
        count = sum(sum(a != b for a, b in zip(self.rgb[row], other.rgb[row])) for row in rows)
        return count / (3 * (right - left) * (bottom - top))

    def has(self, colour, box=(0, 0) + SIZE):
        """How many pixels in a box have just this colour."""
        left, top, right, bottom = box
        return sum(self.at(x, y) == colour for y in range(top, bottom) for x in range(left, right))

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        stride = self.size[0] * 3
        rows = b"".join(b"\0" + self.rgb[y * stride:(y + 1) * stride] for y in range(self.size[1]))
        head = struct.pack(">2I5B", *self.size, 8, 2, 0, 0, 0)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


class Kiosk:
    """A real screen under test. Whoever drives it says how it is looked at (`look`), touched (`press`), what stands before
    its camera (`show`: nobody, or somebody with a good or a revoked code) and what its journal holds (`journal`)."""

    def __init__(self, places, pictures, patience, pause):
        self.places, self.pictures, self.patience, self.pause, self.kept = places, pictures, patience, pause, 0

    def keep(self, name):
        self.kept += 1
        picture = self.look()
        picture.save(self.pictures / f"{self.kept:02}-{name}.png")
        print(f"  {name}: {self.pictures / f'{self.kept:02}-{name}.png'}", flush=True)
        return picture

    def touch(self, page, label):
        # A page that has just changed takes no touch yet.
        time.sleep(self.pause)
        self.press(*self.places[page][label])

    def sees(self, face):
        until(f"the face {face}", self.patience, lambda: self.look().face() == face)

    def moves_on(self, before, box=(0, 68) + (SIZE[0], 440)):
        """Another page has taken the place of the one in `before`."""
        def moved():
            now = self.look()
            return now if now.face() and now.changed(before, box) > 0.1 else None
        return until("another page", self.patience, moved)

    def journaled(self, count):
        """The verdicts and rulings in the journal, once there are so many."""
        said = lambda: [entry for entry in self.journal() if "verdict" in entry or "answer" in entry]
        return until(f"{count} verdicts and rulings", self.patience, lambda: len(said()) == count and said())


def guards_way(kiosk):
    """A guard logs in, lets somebody in against the gate's answer, and looks up somebody without a phone."""
    kiosk.sees("ready")
    until("the camera's picture", kiosk.patience, lambda: kiosk.look().at(440, 200) != PLATE)
    ready, words = kiosk.keep("ready"), (500, 68) + SIZE
    kiosk.touch("ready", "切换到中文")
    until("Chinese words", kiosk.patience, lambda: kiosk.look().changed(ready, words) > 0.02)
    kiosk.keep("chinese")
    kiosk.touch("ready", "切换到中文")
    until("the English words again", kiosk.patience, lambda: kiosk.look().changed(ready, words) < 0.001)

    kiosk.touch("ready", "Guard")
    names = kiosk.moves_on(ready)
    kiosk.touch("names", GUARDS[0])
    keypad = kiosk.moves_on(names)
    for digit in PIN:
        kiosk.touch("keypad", digit)
    kiosk.keep("pin")
    kiosk.touch("keypad", "OK")
    kiosk.moves_on(keypad, box=(280, 68, 780, 400))
    kiosk.keep("on-duty")
    kiosk.touch("duty", "Back")

    kiosk.show("revoked")
    kiosk.sees("deny")
    refusal = kiosk.keep("revoked")
    kiosk.touch("override", "Let in all the same")
    kiosk.moves_on(refusal, box=ABOVE)
    kiosk.keep("why")
    kiosk.touch("why", "Known to me")
    kiosk.sees("pass")
    kiosk.keep("let-in")
    kiosk.show("nobody")
    refused, ruling = kiosk.journaled(2)
    expect(refused, verdict="deny", reason="revoked", gate="closed")
    expect(ruling, about=refused["id"], answer="let_in", reason="known", guard=GUARDS[0], gate="opened")

    kiosk.sees("ready")
    ready = kiosk.look()
    kiosk.touch("ready", "No phone")
    kiosk.moves_on(ready)
    for digit in VISITOR:
        kiosk.touch("visitor", digit)
    kiosk.keep("visitor")
    kiosk.touch("visitor", "Look up")
    kiosk.sees("confirm")
    answered = kiosk.keep("visitor-asked")
    kiosk.touch("decide", "Turn away")
    kiosk.moves_on(answered, box=ABOVE)
    kiosk.touch("why-not", "No document")
    kiosk.sees("deny")
    kiosk.keep("turned-away")
    asked, ruling = kiosk.journaled(4)[2:]
    expect(asked, verdict="confirm", reason="no_roster", gate="closed")
    expect(ruling, about=asked["id"], answer="turned_away", reason="no_document", guard=GUARDS[0], gate="closed")
    if VISITOR in json.dumps(kiosk.journal()):
        raise Failure("the journal holds a document's number")


def frames(city, **codes):
    """The header of a grey y4m film, and a frame of it for each thing that may stand before the camera. Small and sharp: a
    look at a frame may cost 25 ms, and the emulated machine is many times as slow as a Pi."""
    width, height, module = 320, 240, 4
    drawings = {}
    for name, text in {"nobody": "", "good": city.good, "revoked": city.revoked, **codes}.items():
        rows = [bytearray([90]) * width for _ in range(height)]
        for y, line in enumerate(drawn(text) if text else []):
            for x, dark in enumerate(line):
                for row in rows[y * module + 20:][:module]:
                    row[x * module + 60:x * module + 60 + module] = bytes([20 if dark else 230]) * module
        drawings[name] = b"FRAME\n" + b"".join(rows)
    return f"YUV4MPEG2 W{width} H{height} F15:1 Cmono\n".encode(), drawings


def drawn(text):
    """A code with its quiet zone: rows of modules, true for dark. Not drawn by the crate that our own tests draw with."""
    ascii = run(pathlib.Path("qrencode"), "-l", "M", "-m", "4", "-t", "ASCII", "-o", "-", text)
    return [[line[at] == "#" for at in range(0, len(line), 2)] for line in ascii.splitlines()]


class Film:
    """What stands before a camera that is a pipe: one frame over and over, until another takes its place."""

    def __init__(self, pipe, header, frames):
        self.header, self.frames, self.now, self.pipe = header, frames, "nobody", pipe
        os.mkfifo(pipe)
        threading.Thread(target=self.play, daemon=True).start()

    def play(self):
        try:
            with open(self.pipe, "wb") as stream:
                stream.write(self.header)
                while True:
                    stream.write(self.frames[self.now])
                    stream.flush()
        except BrokenPipeError:
            pass  # the checkpoint has ended


def places():
    file = WORK / "places.json"
    if not file.exists():
        raise Failure(f"{file} is missing: start this with make")
    return json.loads(file.read_text())

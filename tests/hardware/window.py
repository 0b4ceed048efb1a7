#!/usr/bin/env python3
"""A guard at the real window: the real programs under Xvfb, touched by xdotool. `make window-test` starts it."""

import os
import shutil
import subprocess
import tempfile
import pathlib

from city import City, Failure, events, main
from kiosk import Film, Kiosk, Picture, SIZE, WORK, frames, guards_way, places

PICTURES = WORK.parent / "window-test"


class Window(Kiosk):
    """`tongguan run` in a window of an X server of its own."""

    def __init__(self, city, folder):
        super().__init__(places(), PICTURES, patience=20, pause=0.6)
        self.city, self.screen = city, folder / "Xvfb_screen0"
        self.film = Film(folder / "camera.y4m", *frames(city))
        reads, writes = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writes), "-screen", "0", "{}x{}x24".format(*SIZE), "-fbdir", folder, "-nolisten", "tcp"],
            pass_fds=[writes], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writes)
        number = os.fdopen(reads).readline().strip()
        if not number:
            raise Failure("Xvfb does not start")
        self.display = {**os.environ, "DISPLAY": f":{number}"}
        self.display.pop("WAYLAND_DISPLAY", None)
        self.log = folder / "log"
        self.gate = subprocess.Popen(
            [city.programs / "tongguan", "run", "--data", folder / "gate", "--screen", "window", "--gate", "sim",
             "--camera", f"replay:{folder / 'camera.y4m'}?fps=15&loop=0"],
            env=self.display, stdout=subprocess.DEVNULL, stderr=self.log.open("w"))

    def look(self):
        if self.gate.poll() is not None:
            raise Failure(f"the checkpoint has ended: {self.log.read_text()[-2000:]}")
        return Picture.xwd(self.screen.read_bytes())

    def press(self, x, y):
        subprocess.run(["xdotool", "mousemove", str(int(x)), str(int(y)), "mousedown", "1", "sleep", "0.05", "mouseup", "1"],
                       env=self.display, check=True, timeout=10)

    def show(self, code):
        self.film.now = code

    def journal(self):
        return events(self.city.gate("events", "--json"))

    def close(self):
        self.gate.terminate()
        try:
            code = self.gate.wait(10)
        except subprocess.TimeoutExpired:
            self.gate.kill()
            raise Failure("the checkpoint does not end when it is told to")
        finally:
            self.server.terminate()
        if code:
            raise Failure(f"the checkpoint ended with {code}: {self.log.read_text()[-2000:]}")


def test():
    shutil.rmtree(PICTURES, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        window = Window(City(folder, "\n[clock]\nunsynced_error_s = 60\n"), folder)
        try:
            guards_way(window)
        except BaseException:
            window.keep("failed")
            window.gate.kill()
            window.server.kill()
            raise
        window.close()


main(test)

"""Chromium without a window, steered over its pipe (the Chrome DevTools Protocol). Needs no package."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    """The name of the browser, or None."""
    return next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)


class Browser:
    """One tab. `faults` has what pages reported since the last `visit`: errors, and files that are missing."""

    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory()
        their_input, self.output = os.pipe()
        self.input, their_output = os.pipe()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                   "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"]
        # It reads from 3 and writes to 4.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{their_input} 4>&{their_output}', program, *options],
            pass_fds=(their_input, their_output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_input)
        os.close(their_output)
        self.received = b""
        self.last = 0
        self.session = None
        self.events = []
        self.faults = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.output)  # which ends it
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.input)
        for attempt in range(10):  # its children write a little longer
            try:
                return self.profile.cleanup()
            except OSError:
                time.sleep(0.2)

    def receive(self, seconds=60):
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.input], [], [], seconds)
            part = os.read(self.input, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError(f"the browser is silent for {seconds} seconds, or gone")
            self.received += part
        message, _, self.received = self.received.partition(b"\0")
        message = json.loads(message)
        if "method" in message:
            self.events.append(message["method"])
            self.note(message["method"], message["params"])
        return message

    def note(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.faults.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.faults.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))

    def ask(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.last:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def visit(self, address, width, height=900, scale=1):
        """Opens a page in a window of that many CSS pixels, and waits until it is loaded and its scripts ran."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)
        self.ask("Network.clearBrowserCookies")  # pages remember how wide their parts were
        self.events = []
        self.ask("Page.navigate", url="about:blank")
        while "Page.loadEventFired" not in self.events:
            self.receive()
        self.events, self.faults = [], []
        self.ask("Page.navigate", url=address)
        while "Page.loadEventFired" not in self.events:
            self.receive()
        self.run("new Promise(done => setTimeout(done, 300))")

    def run(self, script):
        """The value of an expression of JavaScript in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def picture(self, file, width, height, scale=1):
        """Writes the upper left part of the page, as PNG."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
        answer = self.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(answer["data"]))

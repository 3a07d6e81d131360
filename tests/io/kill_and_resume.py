"""Kills a run at twenty random instants, each time resumes it, and compares what it ends with to a
run that nobody killed: every byte has to be the same.

    kill_and_resume.py PROGRAM      PROGRAM from resumed_run.cpp
"""

import pathlib
import random
import subprocess
import sys
import tempfile
import time

KILLS = 20


def run(program, folder, seconds=None):
    """Whether it came to its end before it was killed."""
    is_kept = (folder / "run").exists()
    (folder / "started").unlink(missing_ok=True)
    process = subprocess.Popen([program, folder], stderr=subprocess.PIPE)
    try:
        error = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.kill()  # SIGKILL
        process.communicate()
        ended = False
    else:
        assert process.returncode == 0, f"a resumed run failed: {error.decode()}"
        ended = True
    if (folder / "started").exists():
        started = (folder / "started").read_text()
        # Killed between the making of that file and its one word, it is empty.
        assert started in ("", "resumed" if is_kept else "anew"), started
        assert started or not ended
    return ended


def results(folder):
    return {name: (folder / name).read_bytes() for name in ("weights", "history", "log.csv")}


program = sys.argv[1]
seed = random.randrange(1 << 30)
print(f"random instants of seed {seed}")
instants = random.Random(seed)
with tempfile.TemporaryDirectory() as name:
    whole = pathlib.Path(name) / "whole"
    whole.mkdir()
    start = time.monotonic()
    assert run(program, whole)
    longest = (time.monotonic() - start) / 8
    expected = results(whole)

    kills = resumed = 0
    for attempt in range(100):
        folder = pathlib.Path(name) / f"killed-{attempt}"
        folder.mkdir()
        while not run(program, folder, instants.uniform(0, longest) if kills < KILLS else None):
            kills += 1
            resumed += (folder / "run").exists()
        assert results(folder) == expected, f"attempt {attempt} ended otherwise"
        left = {path.name for path in folder.iterdir()}
        # What a killed program was writing stays beside its place.
        assert {file for file in left if not file.startswith("run.")} == {
            "run", "weights", "history", "log.csv", "started"}, left
        if kills == KILLS:
            break
assert kills == KILLS and resumed > 0
print(f"{kills} kills, {resumed} of them after a first checkpoint, and the same bits in the end")

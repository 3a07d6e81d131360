"""TensorBoard's own reader finds in a log what the CSV file beside it says.

    check_events.py DIR NAME...      DIR/NAME and DIR/NAME.csv, from tests/report/samples.cpp;
                                     exits with 77 where tensorboard is not installed
"""

import csv
import math
import pathlib
import sys

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: there is no tensorboard here")
    sys.exit(77)



def check(logs, table):
    events = EventAccumulator(str(logs), size_guidance={"scalars": 0})
    events.Reload()
    assert events.file_version == 2.0, events.file_version

    with open(table, newline="") as file:
        epochs = list(csv.DictReader(file))
    names = [name for name in epochs[0] if name != "epoch"]
    assert sorted(events.Tags()["scalars"]) == sorted(names), events.Tags()["scalars"]
    for name in names:
        points = events.Scalars(name)
        assert [point.step for point in points] == [int(epoch["epoch"]) for epoch in epochs], points
        for point, epoch in zip(points, epochs):
            # The log keeps single precision: 24 bits.
            assert math.isclose(point.value, float(epoch[name]), rel_tol=2**-24), (name, point)
            assert point.wall_time > 1.6e9
    print(f"{len(names)} scores of {len(epochs)} epochs, as in {table}")


directory = pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    check(directory / name, directory / f"{name}.csv")

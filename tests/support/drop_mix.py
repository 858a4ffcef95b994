"""A small mix of drops with what must become of each."""

from __future__ import annotations

import os
from pathlib import Path

from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import (
    Expected,
    Output,
    make_misdescribed,
    make_output,
    make_truncated,
)
from hotfolder.sandbox.writers import put_file


def outputs_of(seed: int, good: int) -> list[Output]:
    """``good`` whole drops (PDF and AFP), one truncated, one badly described."""
    outputs = [
        make_output(make_communication(seed, number), spool="afp" if number % 3 == 2 else "pdf")
        for number in range(good)
    ]
    outputs.append(make_truncated(make_output(make_communication(seed, good))))
    outputs.append(make_misdescribed(make_output(make_communication(seed, good + 1))))
    return outputs


def write_drops(hot: Path, seed: int = 1, good: int = 4) -> list[Expected]:
    """Write the mix into a hot folder, finished."""
    folder = os.fsencode(hot)
    outputs = outputs_of(seed, good)
    for output in outputs:
        put_file(folder, output.name, output.data)
        if output.sidecar_name is not None:
            put_file(folder, output.sidecar_name, output.sidecar)
    return [output.expected for output in outputs]

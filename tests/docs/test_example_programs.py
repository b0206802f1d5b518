"""The programs in `examples` run as their first lines say, and what they print is what they promise."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def printed(program: str, *options: str) -> str:
    command = [sys.executable, str(EXAMPLES / program), *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_truth_inference_spread_over_processes_is_that_of_one_piece() -> None:
    said = printed("truth_inference_on_ray.py", "--processes", "2", "--items", "500", "--people", "20")
    assert "2,500 judgments in 4 parts" in said
    assert float(said.rpartition(" ")[2]) < 1e-9


def test_asking_until_sure_beats_as_many_judgments_dealt_out_evenly() -> None:
    said = printed("ask_until_sure.py", "--items", "400")
    adaptive, fixed, _ = (float(found) for found in re.findall(r"(\d\.\d{3})$", said, re.MULTILINE))
    assert adaptive > fixed
    assert "    0 items unsure" in said

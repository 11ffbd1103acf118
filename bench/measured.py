"""What measuring programs say: each is a process of its own, and the last line that it prints is its figures as JSON."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def said_by(command: list[str]) -> dict:
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    return json.loads(ran.stdout.strip().splitlines()[-1])


def middle(of: list[dict], field: str) -> float:
    return statistics.median(each[field] for each in of)

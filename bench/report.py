"""What every benchmark says about where it ran, and its section of RESULTS.md."""

import datetime
import os
import platform
import re
import subprocess
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent


def machine() -> str:
    """Processor, cores, memory, system: `AMD EPYC, 2 cores, 25 GB, Linux 6.1`."""
    processor, memory = platform.processor() or platform.machine(), ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        processor = found.group(1).strip() if found else processor
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"
    return f"{processor}, {os.cpu_count()} cores{memory}, {platform.system()} {platform.release().split('-')[0]}"


def busy() -> float:
    """The share of the processors' time that others take, over two seconds; 0 where the system does not count it so."""
    counted = Path("/proc/stat")
    if not counted.exists():
        return 0.0

    def ticks() -> tuple[int, int]:
        line = [int(n) for n in counted.read_text().splitlines()[0].split()[1:9]]
        return sum(line), line[3] + line[4]  # all, and idle with what waits for disks

    (all_before, idle_before), _ = ticks(), time.sleep(2)
    all_after, idle_after = ticks()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)


def quiet() -> str:
    """A warning where the machine is busy before anything is measured; empty where it is quiet."""
    share = busy()
    return f" **The machine was busy ({share:.0%} of its time went to others): not to be relied on.**" if 0.05 < share else ""


def commit() -> str:
    said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=BENCH, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def write_section(name: str, text: str) -> None:
    """Puts `text` between the marks `<!-- begin NAME -->` and `<!-- end NAME -->` of RESULTS.md; adds them if need be."""
    results = BENCH / "RESULTS.md"
    whole = results.read_text(encoding="utf-8") if results.exists() else "# Measured\n"
    section = f"<!-- begin {name} -->\n{text.strip()}\n<!-- end {name} -->"
    marked = re.compile(rf"<!-- begin {name} -->.*?<!-- end {name} -->", re.DOTALL)
    if marked.search(whole):
        whole = marked.sub(lambda _: section, whole)
    else:
        whole = f"{whole.rstrip()}\n\n{section}\n"
    half_made = results.with_suffix(".tmp")
    half_made.write_text(whole, encoding="utf-8")
    half_made.replace(results)
    print(text)

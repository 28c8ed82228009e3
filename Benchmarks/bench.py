"""Measures the built program against peers and against bare servers, all in one run, since the machine is shared and noisy.

usage: bench.py [--quick] [--only NAME ...]
Writes Benchmarks/results.json and Benchmarks/results.md; what is not run this time stays there as it was, and --quick writes nothing.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import tempfile

from measuring import ROOT
from engine import chain, stored, webhooks, workers
from listeners import listeners
from program import corpus, start, usage
from scenarios import scenarios, tasks, tenants

BENCHMARKS = {
    "webhooks": webhooks, "chain": chain, "workers": workers, "stored": stored, "scenarios": scenarios, "tasks": tasks, "tenants": tenants,
    "listeners": listeners, "corpus": corpus, "start": start, "usage": usage}


def markdown(results):
    lines = ["# Benchmarks", "", "Each in one run with its peers. Ratios count; absolute figures are of that machine and moment.", ""]
    for name, result in results.items():
        lines += [f"## {name}", "", (BENCHMARKS[name].__doc__ or "").strip(), "", f"On {result['day']}, {result['machine']}.", ""]
        value = result["figures"]
        if isinstance(value, dict) and all(isinstance(row, dict) for row in value.values()):
            for key, row in value.items():
                lines.append(f"- **{key}**: {flat(row)}")
        else:
            lines.append(f"- {flat(value)}")
        lines.append("")
    return "\n".join(lines)


def flat(value):
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} {f'({flat(part)})' if isinstance(part, dict) else part}" for key, part in value.items())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=list(BENCHMARKS), default=list(BENCHMARKS))
    options = parser.parse_args()
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    machine = f"{os.cpu_count()} cores, {cpu[1] if cpu else 'unknown'}"
    place = ROOT / "Benchmarks"
    kept = json.loads((place / "results.json").read_text())
    for name in options.only:
        folder = tempfile.mkdtemp(prefix=f"aias-bench-{name}-")
        try:
            print(f"== {name}", flush=True)
            figures = BENCHMARKS[name](options, folder)
            print(json.dumps(figures, indent=1), flush=True)
            if options.quick:
                continue
            kept[name] = {"day": datetime.date.today().isoformat(), "machine": machine, "figures": figures}
            results = {name: kept[name] for name in BENCHMARKS if name in kept}
            (place / "results.json").write_text(json.dumps(results, indent=1) + "\n")
            (place / "results.md").write_text(markdown(results))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

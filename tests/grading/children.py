"""Grading in child processes of every kind: `python -m tests.grading.children KIND` prints the verdicts.

A parent grades first, so that forked children inherit a grader with workers; the children print nothing
of their own, and end by themselves.
"""

import multiprocessing
import os
import pickle
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

from lm_eval_ext.grading import Grader, GraderConfig, Item, grade_one

NUMBERS = range(1, 9)
LONG = "+0" * 200
"""Behind an answer, makes the pair too long to be compared without workers."""
OWN = Grader(GraderConfig(workers=1))


def verdict(number):
    """Whether n/2 is the half of n: asked of the workers."""
    return grade_one(f"Final answer: {number}/2{LONG}", str(number / 2)).correct


def verdict_of_own(number):
    return OWN.grade([Item(f"Final answer: {number}/2{LONG}", str(number / 2))])[0].correct


def executor(method, function=verdict):
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        return list(pool.map(function, NUMBERS))


def pool(method, function=verdict):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(function, NUMBERS)


def _put(queue, number):
    queue.put(verdict(number))


def process(method):
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    children = [context.Process(target=_put, args=(queue, number)) for number in (1, 2)]
    for child in children:
        child.start()
    found = [queue.get(timeout=60) for _ in children]
    for child in children:
        child.join(timeout=20)
        assert child.exitcode == 0, f"the child did not end by itself: {child.exitcode}"
    return found


def bare_fork():
    """A child that ends as a process of its own does, running what `atexit` has for it."""
    if (pid := os.fork()) == 0:
        sys.exit(0 if verdict(3) and verdict_of_own(3) else 1)
    return [os.waitpid(pid, 0)[1] == 0, verdict(5)]


def pickled():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        items = [Item(f"Final answer: {n}/2{LONG}", str(n / 2)) for n in NUMBERS]
        return [v.correct for v in pool.apply(Grader.grade, (pickle.loads(pickle.dumps(OWN)), items))]


def threads():
    found = []
    all_of_them = [threading.Thread(target=lambda n=n: found.append(verdict(n))) for n in NUMBERS]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    return found


class Problems:
    """A torch dataset that grades what it loads."""

    def __len__(self):
        return len(NUMBERS)

    def __getitem__(self, place):
        return verdict(NUMBERS[place])


def data_loader(method):
    from torch.utils.data import DataLoader

    loader = DataLoader(Problems(), num_workers=2, multiprocessing_context=method, collate_fn=list)
    return [correct for batch in loader for correct in batch]


def datasets_map():
    import datasets

    datasets.disable_progress_bars()
    rows = datasets.Dataset.from_dict({"n": list(NUMBERS)})
    return rows.map(lambda row: {"correct": verdict(row["n"])}, num_proc=2)["correct"][:]


def accelerated():
    """Run by `accelerate launch`: every rank grades; their verdicts and shares of the cores are gathered."""
    from accelerate import PartialState
    from accelerate.utils import gather_object

    from lm_eval_ext.rewards import AccuracyReward

    state = PartialState(cpu=True)
    numbers = list(NUMBERS)[state.process_index :: state.num_processes]
    found = gather_object([verdict(number) for number in numbers])
    workers = gather_object([Grader(AccuracyReward().config)._workers()])
    state.wait_for_everyone()
    if state.is_main_process:
        print(len(found), all(found), workers)
    state.destroy_process_group()


KINDS = {
    **{f"executor-{m}": lambda m=m: executor(m) for m in ("fork", "spawn", "forkserver")},
    **{f"pool-{m}": lambda m=m: pool(m) for m in ("fork", "spawn")},
    **{f"process-{m}": lambda m=m: process(m) for m in ("fork", "spawn", "forkserver")},
    "inherited-executor": lambda: executor("fork", verdict_of_own),
    "inherited-pool": lambda: pool("fork", verdict_of_own),
    "bare-fork": bare_fork,
    "pickled": pickled,
    "threads": threads,
    **{f"data-loader-{m}": lambda m=m: data_loader(m) for m in ("fork", "spawn")},
    "datasets-map": datasets_map,
}

if __name__ == "__main__":
    if sys.argv[1] == "accelerated":
        accelerated()
    else:
        assert verdict(1) and verdict_of_own(1)
        print(*KINDS[sys.argv[1]]())

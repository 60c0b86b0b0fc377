"""The same batch on this machine, through submitit and on Ray gives the same table."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lm_eval_ext.batch.scores import TABLE
from lm_eval_ext.errors import UserError, required
from tests.batch.conftest import calls
from tests.conftest import ROOT

PLAN = "models: [a/m1, a/m2, a/once]\ntasks: [t1, {name: both, tasks: [t2, t3]}]"


@pytest.fixture
def local_table(batch, tmp_path):
    work = batch(PLAN, out=tmp_path / "here")
    work.run()
    return (work.out / TABLE).read_bytes()


@pytest.mark.unit
@pytest.mark.full
def test_submitit_gives_the_same_table(batch, local_table, tmp_path):
    pytest.importorskip("submitit")
    from lm_eval_ext.batch.executors.slurm import SlurmExecutor

    work = batch(PLAN, SlurmExecutor(tmp_path / "submitit", {}, 1, "local"), retries=2)
    work.run()
    assert (work.out / TABLE).read_bytes() == local_table
    assert calls(work)["once/t1"] == 2 and calls(work)["m1/both"] == 1


@pytest.mark.unit
def test_slurm_options_are_submitits(tmp_path):
    pytest.importorskip("submitit")
    from lm_eval_ext.batch.executors.slurm import SlurmExecutor

    made = SlurmExecutor(tmp_path, {"partition": "gpu", "account": "lab", "time": "240"}, None, "local")
    assert made.slots == 1
    with pytest.raises(UserError, match="colour"):
        SlurmExecutor(tmp_path, {"colour": "red"}, None, "local")
    with pytest.raises(UserError, match="srun"):
        SlurmExecutor(tmp_path, {})


@pytest.mark.unit
def test_a_missing_extra_is_named():
    with pytest.raises(UserError, match=r"--on ray needs no_such: pip install 'lm-eval-ext\[ray\]'"):
        required("no_such", "--on ray", "ray")


CLUSTER = """
import sys
from pathlib import Path
from ray.cluster_utils import Cluster
from lm_eval_ext.batch import plan as plans
from lm_eval_ext.batch.cells import cells_of
from lm_eval_ext.batch.executors.ray_cluster import RayExecutor
from lm_eval_ext.batch.record import BatchRecord
from lm_eval_ext.batch.scheduler import Batch
from tests.batch.conftest import LAUNCHER, is_alive

plan, out = Path(sys.argv[1]), Path(sys.argv[2])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
nodes = [cluster.add_node(num_cpus=1)]


class RemovesANode:
    def changed(self, cell):
        pass

    def tick(self):
        running = [file.read_text().split()[0] for file in out.rglob("calls.txt")]
        if nodes and len(running) == 2:  # each node evaluates a model that waits
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        elif not nodes and not all(is_alive(pid) for pid in running):
            (out / "released").touch()


cells = cells_of(plans.read(plan), out, LAUNCHER)
record = BatchRecord(plan="", on="ray", cells=[cell.record for cell in cells])
work = Batch(out, record, cells, RayExecutor(cluster.address, 1), RemovesANode())
work.run()
cluster.shutdown()
sys.exit(0 if work.is_done() and not nodes else 1)
"""


@pytest.mark.unit
@pytest.mark.full
def test_two_ray_nodes_give_the_same_table_though_one_dies(batch, tmp_path):
    pytest.importorskip("ray")
    here, there = tmp_path / "here", tmp_path / "ray"
    here.mkdir()
    (here / "released").touch()
    batch("models: [a/waits1, a/waits2, a/m1, a/once]\ntasks: [t]", out=here).run()
    words = [sys.executable, "-c", CLUSTER, str(tmp_path / "plan.yaml"), str(there)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert (there / TABLE).read_bytes() == (here / TABLE).read_bytes()
    files = sorted(there.rglob("calls.txt"))
    starts = {file.parent.parent.name: len(file.read_text().splitlines()) for file in files}
    assert sorted((starts["waits1"], starts["waits2"])) == [1, 2], "the dead node's cell started again"
    assert (starts["m1"], starts["once"]) == (1, 2)

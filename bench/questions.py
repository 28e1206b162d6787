"""The questions: each starts jobs, and makes figures of what they print. A figure compares
the same work done by us (measure.c and its neighbours), by bare MPI (raw_mpi.c), and by a
peer, in jobs that alternate, so that what else the machine does meets all alike."""
import math
import os
import shutil
import sys
import tempfile

from jobs import Job, Samples, alternate, run

# --- throughput: empty calls in a stream, how many per second ---


def throughput(bench):
    counts = (2, 3) if bench.tiny else (2, 3, 5, 9, 17, 33)
    calls, peer_calls = bench.scaled(200000, 500), bench.scaled(4000, 100)
    bench.progress.begin("throughput", bench.rounds * (3 * len(counts) +
                                                       2 * bench.has_mpi4py))
    for np in counts:
        jobs = [Job(np, "throughput", calls),
                Job(np, "throughput", calls, 1, side="bare"),
                Job(np, "throughput", calls, 31, side="bare")]  # so many of ours fit a message
        if bench.has_mpi4py and np in (2, 5):
            jobs.append(Job(np, "-m", "mpi4py.futures", bench.program("peer_mpi4py.py"),
                            peer_calls, side="peer"))
        (ours,), *others = alternate(bench, jobs, "calls_per_s")
        rows = (("one in flight", "bare", 1 / 3 if np < 5 else 1),
                ("batches", "bare", None if np < 5 else 0.5), ("mpi4py.futures", "peer", 50))
        # Of both builds ours is the same beside each.
        for (beside, side, bar), (theirs,) in zip(rows[:1] if bench.against else rows, others):
            bench.figure("throughput", "np=%d, beside %s" % (np, beside), "calls/s", ours,
                         beside=side, at_least=bar, ranks=np, x=np, series=beside,
                         **{side: theirs})


# --- roundtrip: submit one call, wait for its result ---


def roundtrip(bench):
    calls = bench.scaled(20000, 50)
    bench.progress.begin("roundtrip", bench.rounds * 19)
    # Ranks, spinning, each worker in its turn as the scheduler does (else the first), bars.
    for np, spin, in_turn, *bars in ((2, 1, False, 4, 4), (2, 0, False, None, None),
                                     (5, 1, False, None, None), (5, 0, False, 1, None),
                                     (5, 0, True, 1, None)):
        ours, bare = alternate(
            bench, [Job(np, "roundtrip", calls, spin, 0, "", "", 0 if in_turn else 1),
                    Job(np, "roundtrip", calls, np - 1 if in_turn else 1, side="bare")],
            "p50", "p99")
        for i, percentile in enumerate(("p50", "p99")):
            bench.figure("roundtrip", "np=%d, %s, %s%s" % (
                np, "spinning" if spin else "default wait",
                "workers in turn, " if in_turn else "", percentile), "s", ours[i],
                bare=bare[i], beside="bare", at_most=bars[i], ranks=np)
    for quiet in ((False, False, 60e-6), (True, False, 150e-6), (False, True, 800e-6),
                  (True, True, None)):
        ask_quiet(bench, *quiet)
    ask_wake(bench)


def ask_quiet(bench, grouped, between_hosts, bar):
    """Without the doorbell ranks sleep as they do between hosts."""
    calls, pause = bench.scaled(5, 2), bench.scaled("1", "0.01")
    ours = Job(5, *(("groups", calls, 4) if grouped else ("roundtrip", calls, 0)), pause,
               "gather", "split", env={"DWQ_DOORBELL": "0" if between_hosts else None})
    bare = Job(5, "group" if grouped else "quiet", calls, pause, 1, side="bare")
    (ours,), (bare,) = alternate(bench, [ours, bare], "p50")
    bench.figure("roundtrip", "np=5, first call%s after 1 s of quiet, %sp50" % (
        " of a group" if grouped else "", "as between hosts, " if between_hosts else ""),
        "s", ours, bare=bare, at_most=bar, ranks=5,
        note="beside it the bare ranks spin all the time")


def ask_floor(bench, question, name, unit, line, *args, note):
    """What waiting cannot go below: no MPI, no messages."""
    program = bench.program("raw_wake")
    if os.access(program, os.X_OK):  # or there is no futex here, so no doorbell
        (bare,), = alternate(bench, [Job(command=[program, *map(str, args)])], line)
        bench.figure(question, name, unit, bare=bare, note=note)


def ask_wake(bench):
    """Below every first call after quiet."""
    ask_floor(bench, "roundtrip", "two processes, one futex wake after 1 s of quiet, p50", "s",
              "p50", bench.scaled(5, 2), bench.scaled("1", "0.01"),
              note="no message: what a first call cannot go below")


# --- crowded: more ranks than cores and no MPI setting: is the yield flag needed? ----------------


def crowded(bench):
    """Open MPI yields by itself where mpirun was told to oversubscribe, so it is told that
    there are slots enough; a bare receive then costs milliseconds."""
    kinds = (("a stream", "calls/s", "calls_per_s",
              ("throughput", bench.scaled(200000, 500)),
              ("throughput", bench.scaled(20000, 500), 1), {"at_least": 0.5}),
             ("one call, p50", "s", "p50", ("roundtrip", bench.scaled(20000, 50), 0),
              ("roundtrip", bench.scaled(50, 5), 4), {"at_most": 2}))
    counts = (5,) if bench.tiny else (5, 9)
    bench.progress.begin("crowded", bench.rounds * 3 * 2 * len(counts))
    for name, unit, line, ours, bare, bar in kinds:
        for np in counts:
            (untold,), (bare_untold,), (told,) = alternate(
                bench, [Job(np, *ours, untold=True),
                        Job(np, *bare, side="bare", untold=True), Job(np, *ours)], line)
            bench.figure("crowded", "np=%d, no yield flag, %s" % (np, name), unit, untold,
                         bare=bare_untold, peer=told, beside="peer", value_unit="x with flag",
                         ranks=np, x=np if "at_least" in bar else None,
                         note="bare without the flag, too; as peer stands ours with it", **bar)


# --- payload: large arrays there and back ---


def payload(bench):
    bits = (10, 13, 16) if bench.tiny else (10, 13, 16, 18, 20, 22, 24, 26)
    bench.progress.begin("payload", bench.rounds * 3 * 2 * len(bits))
    for cma in True, False:
        # Open MPI 4; and 5, where what can copy once is a framework of its own.
        env = {"OMPI_MCA_btl_vader_single_copy_mechanism": "cma" if cma else "none",
               "OMPI_MCA_smsc": "^knem,xpmem,accelerator" if cma
               else "^cma,knem,xpmem,accelerator"}
        for size in (1 << n for n in bits):
            calls = 2 if bench.tiny else min((256 << 20) // size, 10000)
            (copied,), (borrowed,), (bare,) = alternate(
                bench, [Job(2, "payload", size, calls, 0, env=env),
                        Job(2, "payload", size, calls, 1, env=env),
                        Job(2, "payload", size, calls, side="bare", env=env)], "bytes_per_s")
            for how, ours, bar in (("copied", copied, 0.5), ("borrowed", borrowed, 0.8)):
                series = "%s, %sCMA" % (how, "" if cma else "no ")
                bench.figure("payload", "%d KiB, %s" % (size // 1024, series), "B/s", ours,
                             bare=bare, beside="bare", at_least=bar if size >= 65536 else None,
                             ranks=2, x=size, series=series)


# --- idle: what waiting costs ---


def idle(bench):
    plain, grouped = ("controller", "worker"), ("controller", "broker", "member", "left")
    kinds = (("np=5", 5, (), plain), ("np=9, groups of 2", 9, ("beside",), grouped),
             ("np=9, groups of 3, broker inside", 9, ("inside",), grouped),
             ("np=3, spawned groups of 2", 3, ("spawned",), grouped[:3]))
    seconds = bench.scaled("10", "0.2")
    bench.progress.begin("idle", 9 * (bench.rounds if bench.against else 1))
    for bell in True, False:
        for title, np, kind, roles in kinds:
            spawns = kind == ("spawned",)
            job = Job(np, "idle", seconds, *kind, spawns=spawns,
                      env={"DWQ_DOORBELL": None if bell else "0"})
            samples, = alternate(bench, [job], *roles, rounds=1)  # 10 s are many waits
            for role, ours in zip(roles, samples):
                bench.figure("idle", "%s, %s, %s" % (
                    title, role, "one host" if bell else "as between hosts"), "% core", ours,
                    at_most=0.5 if bell else 2, ranks=7 if spawns else np,
                    note="a bare MPI_Recv takes 100 %" + (
                        "; the worst of three" if role == "worker" else ""))
    ask_floor(bench, "idle", "a process that sleeps 1 ms at a time", "% core", "core_percent",
              "sleep", seconds,
              note="nothing else: what a rank between hosts cannot go below")


# --- balance: uneven calls, how close to the best list schedule of the same times ---


def balance(bench):
    bench.progress.begin("balance", bench.rounds * 2)
    for longest, name in ((1, "longest first, exact estimates"),
                          (0, "first in first out, no estimates")):
        (makespan, ideal, bound), = alternate(
            bench, [Job(5, "balance", bench.scaled(200, 10), longest)], "makespan", "ideal",
            "bound")
        bench.figure("balance", "np=5, " + name, "s", makespan, bare=ideal, beside="bare",
                     at_most=1.03, value_unit="x ideal", ranks=5,
                     note="the ideal list schedule stands as bare; max(total / workers, "
                          "longest) is %.4g s" % bound.median())


# --- memory, queue ---


def memory(bench):
    bench.progress.begin("memory", 1)
    (growth,), = alternate(bench, [Job(3, "memory", bench.scaled(10000, 100),
                                       bench.scaled(1000000, 1000))], "growth", rounds=1)
    bench.figure("memory", "np=3, from 10^4 to 10^6 calls", "B", growth, at_most=5 * 1048576,
                 ranks=3, offset=1048576)  # it is a few pages


def queue(bench):
    """Queued before the first is served: the only worker sleeps."""
    bench.progress.begin("queue", bench.rounds)
    (seconds, size), = alternate(
        bench, [Job(2, "queue", bench.scaled(1000000, 1000), bench.scaled("6", "0.2"))],
        "submit", "bytes")
    name = "10^6 calls, per call: "
    bench.figure("queue", name + "processor time", "s", seconds, at_most=1e-6, ranks=2)
    bench.figure("queue", name + "memory beyond its 8 bytes", "B", size, at_most=400, ranks=2)


# --- bounds: what a run costs that does nothing ---

BARE_BOUNDS = {
    "none": "bare: one duplicate, one barrier",
    "split": "bare: one duplicate, one split, one barrier",
    "spawn": "bare: one duplicate, one spawn, merge, barrier and disconnect per group, one "
             "barrier",
}


def bounds(bench):
    """At most 20 % of a run are ours: 1.25 x bare."""
    shapes = [("none", np, 0) for np in (2, 5, 9, 17, 33)]
    shapes += [("split", 5, 2), ("split", 9, 4), ("split", 17, 4), ("split", 33, 8),
               ("spawn", 2, 4), ("spawn", 3, 3)]
    shapes = [shapes[i] for i in (0, 5, 9)] if bench.tiny else shapes
    bench.progress.begin("bounds", bench.rounds * 2 * len(shapes))
    for kind, np, ranks in shapes:
        spawns = kind == "spawn"
        ours, bare = alternate(
            bench, [Job(np, "bounds", kind, ranks, side=side, spawns=spawns)
                    for side in ("ours", "bare")], "wall", "run_s")
        grouped = "" if kind == "none" else kind
        groups = "%s, groups of %d, " % (kind, ranks) if grouped else ""
        for i, what, bar in ((0, "the whole job", 1.2), (1, "a run, MPI being up", 1.25)):
            bench.figure("bounds", "np=%d, %s%s" % (np, groups, what), "s", ours[i],
                         bare=bare[i], beside="bare",
                         at_most=bar if i == 0 or grouped else None,
                         ranks=1 + (np - 1) * ranks if spawns else np, x=np,
                         series=", ".join(filter(None, [("job", "run")[i], grouped])),
                         note=BARE_BOUNDS[kind] if i else "")


# --- groups: an empty call on a group of ranks ---


def groups(bench):
    calls = bench.scaled(5000, 20)
    bench.progress.begin("groups", bench.rounds * 4 * 2 * 2)
    for ranks in 3, 4:
        for mode in "gather", "sendrecv":
            gather = int(mode == "gather")
            samples = alternate(
                bench, [Job(ranks + 1, "groups", calls, ranks, 0, mode, "split"),
                        Job(2, "groups", calls, ranks, 0, mode, "spawn", spawns=True),
                        Job(ranks + 1, "group", calls, 0, gather, side="bare"),
                        Job(2, "group", calls, 0, gather, ranks - 1, side="bare", spawns=True)],
                "p50")
            for i, kind in enumerate(("split", "spawn")):
                bench.figure("groups", "%d ranks, %s, %s, p50" % (ranks, kind, mode), "s",
                             samples[i][0], bare=samples[2 + i][0], beside="bare", at_most=1.5,
                             ranks=ranks + 1, note="broker inside; bare: %s by such ranks" % (
                                 "send, scatter, gather, send" if gather
                                 else "sends and receives"))


# --- modes: a call of a group with an array, in each collective mode ---


def modes(bench):
    widths = (2,) if bench.tiny else (2, 4, 8)
    shapes = [("shared", size) for size in (0, 1 << 16, 1 << 22)]
    shapes += [(shape, size) for shape in ("scattered", "returned") for size in (1 << 16, 1 << 22)]
    bench.progress.begin("modes", bench.rounds * len(widths) * len(shapes) * 3)
    for ranks in widths:
        for shape, size in shapes:
            calls = bench.scaled(60 if size > 1 << 20 else 600, 5)
            ours, gather, sendrecv = alternate(
                bench, [Job(ranks + 1, "modes", shape, size, ranks, calls, mode)
                        for mode in ("default", "gather", "sendrecv")], "p50")
            for side, theirs in ("gather", gather), ("sendrecv", sendrecv):
                bench.figure("modes", "%d ranks, %d KiB %s, p50, beside %s" % (
                    ranks, size >> 10, shape, side), "s", ours[0], peer=theirs[0],
                    beside="peer", ranks=ranks + 1, series=side,
                    note="the default mode, beside this one forced")


# --- placer: what a plan costs, hosts of 128 cores, a rank on each core ---


def placer(bench):
    counts = (10, 100) if bench.tiny else (10, 100, 1000, 10000)
    bench.progress.begin("placer", bench.rounds * len(counts) * 2)
    for hosts in counts:
        for ranks in 1, 8:
            samples, = alternate(
                bench, [Job(command=[bench.program("plan_cost"), str(hosts), str(ranks)])],
                "seconds", "plan_bytes", "cluster_bytes")
            name = "%d hosts, groups of %d, " % (hosts, ranks)
            bench.figure("placer", name + "processor time of the plan", "s", samples[0],
                         at_most=1 if hosts == 10000 else None, x=hosts,
                         series="groups of %d" % ranks)
            bench.figure("placer", name + "memory of the plan", "B", samples[1])
            bench.figure("placer", name + "memory of the cluster", "B", samples[2])


# --- workers: more than ranks are to be had ---


def workers(bench):
    """The controller in one process with workers on virtual time, which answer without running
    anything (tests/sim/scale.c), the time in the simulated transport taken off."""
    path, counts = bench.program("../tests/sim/scale"), (10, 100, 1000, 10000)
    rates = []
    if not os.access(path, os.X_OK):
        print("dwq-bench: question workers is not measured: it needs a build with "
              "-Dtests=enabled", file=sys.stderr)
        counts = (10000,)
    bench.progress.begin("workers", bench.rounds * 4)
    for n in counts:
        rate = Samples()
        if len(counts) > 1:
            (rate,), = alternate(
                bench, [Job(command=[path, str(n), str(bench.scaled(1000000, 1000))])],
                "controller_calls_per_s")
        bench.figure("workers", "%d workers" % n, "calls/s", rate,
                     at_least=100000 if n == 10000 else None, x=n, series="controller")
        rates.append(rate.median())
    growth = rates[0] / rates[-1] if len(rates) > 1 else math.nan
    bench.figure("workers", "cost per call, 10,000 beside 10 workers", "x",
                 Samples([] if math.isnan(growth) else [growth]), at_most=2)


# --- scale: clusters larger than any at hand ---

RANKS_PER_HOST = 8  # and the controller on the first host
SCALE_BARS = {0.1: 0.9, 1: 0.98}  # of 1,024 hosts, by the seconds of a call
PLATFORM = """<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="n" suffix="" radical="0-%d" speed="10Gf" bw="12.5GBps" lat="1us"/>
</platform>
"""
# Collectives by trees: what SMPI takes by default asks who shares a host, from each to each,
# for every new communicator. Code and polls take no time of their own (so runs repeat exactly,
# and what the controller polls is in its charge), sleeps do; a transfer that is polled without
# sleeping would never end, but these calls have none. The library has no state at file scope,
# so that ranks share the program.
SMPI = ["--cfg=smpi/" + what for what in (
    "privatization:no", "simulate-computation:no", "host-speed:10Gf", "test:0",
    "allreduce:redbcast", "barrier:ompi_tree", "bcast:binomial_tree", "reduce:binomial")]


def scale(bench):
    """bench/smpi/scale.c on simulated hosts (SimGrid), where each message that the controller
    sends or receives costs half of what a call, in messages of its own, costs it here."""
    sizes = ((16,) if bench.tiny else (16, 128, 1024)) if bench.smpi else ()
    times = (0.01,) if bench.tiny else (0.01, 0.1, 1)
    bench.progress.begin("scale", bench.rounds + len(sizes) * 3 * len(times))
    (cost,), = alternate(bench, [Job(5, "scale", bench.scaled(100000, 500))], "call_s")
    bench.figure("scale", "np=5, processor time per call", "s", cost, ranks=5,
                 note="of the controller, a message each way per call, and what it polls "
                      "meanwhile")
    if not bench.smpi:  # the bars stand in the table all the same
        for seconds in SCALE_BARS:
            report_run(bench, 1024, 8, seconds, Samples(),
                       "no build with -Dmpi=smpi was named (--smpi)")
    for hosts in sizes if cost.values else ():
        folder = tempfile.mkdtemp(prefix="dwq-scale-")
        for ranks in 1, 8, 32:
            for seconds in times:
                simulate(bench, folder, hosts, ranks, seconds, cost.median() / 2)
        shutil.rmtree(folder)


def simulate(bench, folder, hosts, ranks, seconds, event):
    platform, hostfile = (os.path.join(folder, name) for name in ("platform.xml", "hosts"))
    np = hosts * RANKS_PER_HOST + 1
    with open(platform, "w") as out:
        out.write(PLATFORM % (hosts - 1))
    with open(hostfile, "w") as out:  # one line per rank
        out.write("n0\n" + "".join("n%d\n" % (r // RANKS_PER_HOST) for r in range(np - 1)))
    result = run(bench, Job(
        command=["smpirun", "-np", str(np), "-platform", platform, "-hostfile", hostfile, *SMPI,
                 "--log=root.thresh:warning",
                 os.path.join(bench.smpi, "bench/smpi/dwq-scale.so"), str(ranks),
                 "%.9g" % seconds],
        env={"DWQ_SCALE_EVENT": "%.9g" % event}, timeout=7200))
    bench.progress.step()
    efficiency = result.value("efficiency")
    report_run(bench, hosts, ranks, seconds,
               Samples([] if math.isnan(efficiency) else [efficiency]),
               "%d hosts; makespan %.4g s, start %.3g s; simulated in %.0f s" % (
                   hosts, result.value("makespan_s"), result.value("start_s"),
                   result.value("wall")))


def report_run(bench, hosts, ranks, seconds, efficiency, note):
    n = hosts * RANKS_PER_HOST
    bench.figure("scale", "%d ranks, groups of %d, %g s" % (n, ranks, seconds), "of ideal",
                 efficiency, at_least=SCALE_BARS.get(seconds) if hosts >= 1024 and ranks == 8
                 else None, x=n if efficiency.values else None,
                 series="groups of %d, %g s" % (ranks, seconds), note=note)


ALL = {
    throughput: "Empty calls, 8-byte argument and result, in a stream",
    roundtrip: "Round trip of one call",
    crowded: "More ranks than cores, without any MPI setting",
    payload: "Arrays there and back, np=2",
    idle: "Processor time of ranks that wait for 10 s",
    balance: "200 sleeping calls, lognormal times (sigma 1, mean 10 ms)",
    memory: "Growth of the controller's resident size",
    queue: "A queue of 10^6 calls",
    bounds: "Start and end of a run",
    groups: "Round trip of an empty call on a group",
    modes: "A call of a group with an array: the default collective mode",
    placer: "The plan of a cluster, hosts of 128 cores",
    workers: "The controller with up to 10,000 workers on virtual time",
    scale: "Efficiency on simulated clusters: work done / (ranks x makespan)",
}

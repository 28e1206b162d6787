#!/usr/bin/env python3
"""Real jobs, and a rank of each dies: deaths.py FOLDER [N [SEED]]

FOLDER is that of a build. Each of the N jobs (default 40) is drawn from the seed: what
its workers are, how they talk, how a rank dies (from outside by a signal at any moment, or
in a call by itself), and which rank that is (never the controller's). A job is complete
when it ends by itself with all results right and exit code 0. Prints a line for each that
is not, and TAP's plan and result for all.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time

KINDS = {  # ranks of the world
    'plain': (3, 4, 5),
    'inside': (5, 7),
    'beside': (7,),
    'spawn': (3,),
}
WAYS = ('kill', 'segv', 'abort', 'exit_at_once', 'mpi_abort')
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
TIMEOUT = 60
SPAN = float(os.environ.get('DWQ_TEST_SPAN', '1.6'))  # seconds from the start in which a signal may come


def environment_of(pid):
    try:
        with open(f'/proc/{pid}/environ', 'rb') as file:
            items = file.read().split(b'\0')
    except OSError:
        return {}
    return dict(item.split(b'=', 1) for item in items if b'=' in item)


def processes(mark):
    """The ranks of the job with that mark: [(pid, rank, spawned)]."""
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            env = environment_of(name)
            if env.get(b'DWQ_TEST_MARK') == mark.encode() and b'OMPI_COMM_WORLD_RANK' in env:
                found.append((int(name), int(env[b'OMPI_COMM_WORLD_RANK']), b'OMPI_PARENT_PORT' in env))
    return found


def victims(mark):
    return [pid for pid, rank, spawned in processes(mark) if rank != 0 or spawned]


def shared_files(pid):
    """Those that MPI made for the job of that process, by the number of its mpirun."""
    name = environment_of(pid).get(b'PMIX_NAMESPACE', b'0')
    return re.compile(r'\.%x[0-9a-f]{4}\.' % (int(name) >> 16)) if name.isdigit() and int(name) else None


def kill_one(draw, job, mark, after, how):
    time.sleep(after)
    there = victims(mark)
    if job.poll() is not None or not there:
        return 'nobody', None
    pid = draw.choice(there)
    files = shared_files(pid)
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return 'nobody', files
    return f'{signal.Signals(how).name} to {pid}', files


def play(folder, seed):
    """What went wrong, or ''; and what was done."""
    draw = random.Random(seed)
    kind = draw.choice(list(KINDS))
    ranks = draw.choice(KINDS[kind])
    mode = draw.choice(('gather', 'sendrecv'))
    outside = draw.random() < 0.6
    way = draw.choice(WAYS)
    mark = f'{os.getpid()}.{seed}'
    env = dict(os.environ, DWQ_TEST_GROUPS=kind, DWQ_TEST_MODE=mode, DWQ_TEST_WAY=way, DWQ_TEST_MARK=mark,
               DWQ_TEST_TASKS=str(draw.choice((50, 300, 1000))))
    scenario = 'long_run' if outside else 'a_death'
    what = f'seed {seed}: {kind} {ranks} {mode}'
    job = subprocess.Popen(
        [f'{folder}/libdwq/command/dwq', 'run', '-n', str(ranks), f'{folder}/tests/mpi/scenario_survive', scenario],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    files = None
    if outside:
        how, files = kill_one(draw, job, mark, draw.random() * SPAN, draw.choice(SIGNALS))
        what += ', ' + how
    else:
        what += ', ' + way
    try:
        output, _ = job.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        where = [f'{pid} rank {rank}' for pid, rank, _ in processes(mark)]
        for pid, _, _ in processes(mark):
            os.kill(pid, signal.SIGUSR2)
        time.sleep(1)
        job.kill()
        for pid, _, _ in processes(mark):
            os.kill(pid, signal.SIGKILL)
        output, _ = job.communicate()
        return f'no end after {TIMEOUT} s, {where}\n{output}', what
    left = processes(mark)
    for pid, _, _ in left:
        os.kill(pid, signal.SIGKILL)
    if left:
        return f'processes are left: {left}\n{output}', what
    left = [name for name in os.listdir('/dev/shm') if files and files.search(name)]
    if left:
        return f'files are left: {left}\n{output}', what
    if outside and 'the run has begun' not in output and 'all ranks end now' in output:
        return ('' if job.returncode != 0 else 'exit code 0\n' + output), what + ', before the run'
    if job.returncode != 0 or 'the run has ended' not in output or 'does not hold' in output:
        return f'exit code {job.returncode}\n{output}', what
    return '', what


def main():
    folder = os.path.abspath(sys.argv[1])
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    n_failed = 0
    print(f'1..{n}')
    for i in range(n):
        fault, what = play(folder, seed + i)
        n_failed += fault != ''
        print(f'{"not ok" if fault else "ok"} {i + 1} - {what}', flush=True)
        for line in fault.splitlines():
            print('# ' + line, flush=True)
    return 1 if n_failed else 0


if __name__ == '__main__':
    sys.exit(main())

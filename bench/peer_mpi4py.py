"""Empty calls in a stream through mpi4py.futures:
mpirun -n NP python3 -m mpi4py.futures peer_mpi4py.py CALLS"""
import sys
import time
from collections import deque

from mpi4py.futures import MPIPoolExecutor


def echo(x):
    return x


def stream(executor, n):
    out = deque()
    for i in range(n):
        if len(out) == 2000:
            out.popleft().result()
        out.append(executor.submit(echo, float(i)))
    while out:
        out.popleft().result()


if __name__ == "__main__":
    calls = int(sys.argv[1])
    with MPIPoolExecutor() as executor:
        stream(executor, calls // 10 + 1)
        start = time.monotonic()
        stream(executor, calls)
        print("calls_per_s", calls / (time.monotonic() - start))

"""A process that imports what the work needs once and then forks workers from itself.

A worker forked from a process that has torch loaded is there after milliseconds and shares its memory; one started from
nothing takes seconds. It is not `multiprocessing`'s fork server because that one is a single one per process with the
modules its first user asked for, ignores those it cannot import, imports the caller's main program into every worker,
and leaves its workers alive when the caller is killed. This one serves one executor, says why it cannot start, never
looks at the main program, and ends with everything it forked as soon as the driver is gone:

* the driver ends: the control socket closes, or its pid is no longer our parent -> the server kills its workers;
* the server is killed: the kernel kills the workers (Linux); elsewhere they end when their socket does.

Both ends of the control socket are in this file. It carries records of fixed size: an order to the server, with the
descriptors of a new worker attached, or news from it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import importlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, NoReturn

from nas.executors import worker
from nas.executors.log import Log

_RECORD = struct.Struct("!cQi")  # what, worker, exit code

SPAWN = b"s"  # to the server: fork a worker; its socket and its log come along
KILL = b"k"  # to the server: kill a worker; one that has ended is no error
LOADED = b"l"  # from the server: everything is imported
ENDED = b"e"  # from the server: a worker has ended, with this exit code (negative: that signal)

_FORK_FAILED = os.EX_OSERR
_DRIVER_CHECK_SECONDS = 1.0
_CLOSE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1

_TUNABLES, _LARGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"  # madvise; glibc 2.35 or newer, else ignored
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class News(NamedTuple):
    """One record from the server."""

    what: bytes
    worker: int
    exit_code: int


def describe_exit(exit_code: int) -> str:
    """An exit code in words: 'was killed by SIGKILL', 'exited with code 3'."""
    if exit_code >= 0:
        return f"exited with code {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


# The driver's end.


class ForkServer:
    """The driver's handle on the process. Sockets and logs stay the caller's."""

    def __init__(self, work: bytes, *, threads: int, preload: Sequence[str]) -> None:
        """Start the process; does not wait for what it imports.

        Args:
            work: what the workers do, pickled; each of them reads it, the server does not.
            threads: threads of every numeric library in each worker.
            preload: modules to import before the first fork; they must not start threads or touch a GPU on import.
        """
        self._log = Log()
        self._socket, theirs = socket.socketpair()
        with theirs, _interrupts_held():
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", _program(theirs.fileno(), work, threads=threads, preload=preload)],
                stdin=subprocess.DEVNULL,
                stdout=self._log.fileno(),
                stderr=self._log.fileno(),
                env={**os.environ, **worker_variables(os.environ, threads=threads)},
                pass_fds=[theirs.fileno()],
            )
        self._received = bytearray()
        self.is_loaded = False
        self.ended = False  # the process has ended, or is about to

    def fileno(self) -> int:
        """The descriptor to wait on for news."""
        return self._socket.fileno()

    def spawn(self, key: int, sock: socket.socket, log: Log) -> None:
        """Fork a worker called `key` that serves `sock` and writes its output to `log`."""
        with suppress(ConnectionError):  # the server is gone: `news` will say so
            socket.send_fds(self._socket, [_RECORD.pack(SPAWN, key, 0)], [sock.fileno(), log.fileno()])

    def kill(self, key: int) -> None:
        """Kill the worker called `key`; news of its end follows."""
        with suppress(ConnectionError):
            self._socket.sendall(_RECORD.pack(KILL, key, 0))

    def end(self) -> None:
        """Kill the process, and so its workers; `news` says that it has ended."""
        self._process.kill()

    def news(self) -> Iterator[News]:
        """What the server had to say since the last call; sets `ended` when that was its last."""
        while not self.ended:
            try:
                data = self._socket.recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            self.ended = not data
            self._received += data
        while len(self._received) >= _RECORD.size:
            news = News(*_RECORD.unpack_from(self._received))
            del self._received[: _RECORD.size]
            self.is_loaded = self.is_loaded or news.what == LOADED
            yield news

    def exit_report(self) -> str:
        """How the process ended and what it last wrote; waits for it to end."""
        return f"{describe_exit(self._wait())}\n{self._log.tail()}".rstrip()

    def close(self) -> None:
        """End the process and every worker it has."""
        for _ in self.news():
            pass  # it may have been loaded meanwhile
        self._socket.close()
        if not self.is_loaded:
            self._process.kill()  # it has no workers yet, and would not look up before it has imported everything
        self._wait()
        self._log.close()

    def _wait(self) -> int:
        try:
            return self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _program(descriptor: int, work: bytes, *, threads: int, preload: Sequence[str]) -> str:
    """The program of the server, given the driver's import path so that it finds the same modules."""
    path = [entry or os.getcwd() for entry in sys.path]
    return (
        f"import sys; sys.path[:] = {path!r}; from {__name__} import main; "
        f"main({descriptor}, {work!r}, threads={threads}, preload={tuple(preload)!r}, driver={os.getpid()})"
    )


def worker_variables(base: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """What the environment of a worker says beyond `base`: threads of numeric libraries, and large pages for malloc.

    Without the latter every step of a training gives its maps back to the system and gets them again page by page:
    30,000 page faults and a tenth of the time, at batch 128 of 32x32 images. What `base` has of its own is kept.
    """
    return {_TUNABLES: base.get(_TUNABLES, _LARGE_PAGES), **dict.fromkeys(_THREAD_VARIABLES, str(threads))}


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start a process with Ctrl-C blocked, until it has said itself that it ignores it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# The server's end.


def main(descriptor: int, work: bytes, *, threads: int, preload: Sequence[str], driver: int) -> NoReturn:
    """Be the server: import, fork on demand, and end with the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the driver decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    with socket.socket(fileno=descriptor) as control:
        control.set_inheritable(False)
        for name in preload:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # collections in the workers leave these objects, and so their shared pages, alone
        server = _Server(control, work, threads=threads, driver=driver)
        server.run()
    os._exit(0)


class _Server:
    def __init__(self, control: socket.socket, work: bytes, *, threads: int, driver: int) -> None:
        self._control = control
        self._work = work
        self._threads = threads
        self._driver = driver
        self._children: dict[int, int] = {}  # process id by worker
        self._pid = os.getpid()
        self._wake, self._wakeup = os.pipe()

    def run(self) -> None:
        """Serve until the driver is gone, then kill every worker."""
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wakeup, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written to the wake-up pipe
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        try:
            self._tell(LOADED)
            while self._obey():
                pass
        except ConnectionError:
            pass  # the driver is gone
        finally:
            self._end_all()

    def _obey(self) -> bool:
        """Wait for an order or the end of a worker and see to it; False when the driver is gone."""
        control = self._control.fileno()
        ready, _, _ = select.select([control, self._wake], [], [], _DRIVER_CHECK_SECONDS)
        if self._wake in ready:
            with suppress(BlockingIOError):
                os.read(self._wake, 4096)
            self._reap()
        if control in ready:
            return self._take_order()
        # A process that the driver forked can hold the other end of the socket open beyond the driver's life.
        return os.getppid() == self._driver

    def _take_order(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, _RECORD.size, 2)
        if len(data) < _RECORD.size:
            return False
        what, key, _ = _RECORD.unpack(data)
        if what == SPAWN:
            self._spawn(key, *descriptors)
        elif what == KILL and key in self._children:
            os.kill(self._children[key], signal.SIGKILL)  # not reaped yet, so the number is still its own
        return True

    def _spawn(self, key: int, sock: int, log: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            os.write(log, f"cannot start a process: {error}\n".encode())
            self._tell(ENDED, key, _FORK_FAILED)
        else:
            if pid == 0:
                self._become_worker(sock, log)
            self._children[key] = pid
        os.close(sock)
        os.close(log)

    def _become_worker(self, sock: int, log: int) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _die_with_parent(self._pid)
            self._control.close()
            os.close(self._wake)
            os.close(self._wakeup)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            faulthandler.enable()
            connection = socket.socket(fileno=sock)  # stays open: a closed one gets its worker killed
            connection.set_inheritable(False)
            worker.serve(connection, self._work, threads=self._threads)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _reap(self) -> None:
        for key, pid in list(self._children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._children[key]
                self._tell(ENDED, key, os.waitstatus_to_exitcode(status))

    def _tell(self, what: bytes, key: int = 0, exit_code: int = 0) -> None:
        self._control.sendall(_RECORD.pack(what, key, exit_code))

    def _end_all(self) -> None:
        for pid in self._children.values():
            os.kill(pid, signal.SIGKILL)
        for pid in self._children.values():
            os.waitpid(pid, 0)


def _die_with_parent(parent: int) -> None:
    """Have the kernel kill this process with its parent, even while native code holds the interpreter lock."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

"""Limits and isolation of the calling process, for good; each is inherited by its children.

No measure needs privileges. Those that a system lacks are left out: `lm-eval-ext doctor` tries what a program
can do.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MIB = 2**20
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = 0x20000, 0x8000000, 0x10000000, 0x40000000
_FOLDER = b"size=64m,nr_inodes=4096"
_CAPABILITY_VERSION_3 = 0x20080522
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""Version of Landlock -> number of its rights on files."""
_READ_FILE, _READ_FOLDER, _READ_WRITE_FILE = 0b101, 0b1101, 0b110
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # with EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06

REFUSED = {
    # network
    "socket": (41, 198), "io_uring_setup": (425, 425),
    # other processes
    "clone": (56, 220), "fork": (57, None), "vfork": (58, None), "clone3": (435, 435), "execve": (59, 221),
    "execveat": (322, 281), "setsid": (112, 157), "setpgid": (109, 154), "kill": (62, 129),
    "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kcmp": (312, 272),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    "prlimit64": (302, 261), "setrlimit": (160, 164),
    # modes, owners, times and attributes of files, which Landlock ignores; truncating, in its early versions
    "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53),
    "fchmodat2": (452, 452), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
    "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "setxattrat": (463, 463), "removexattrat": (466, 466),
    # what outlives a process
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # the kernel
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282),
}  # fmt: skip
"""System calls that fail with EPERM: name -> its number on x86-64 and on arm64."""


def limit(cpu_s: int, memory_mb: int, file_mb: int) -> None:
    """Limits CPU time, address space, size of a file, open files and core dumps."""
    limits = {
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_AS: memory_mb * MIB,
        resource.RLIMIT_FSIZE: file_mb * MIB,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in limits.items():
        with suppress(ValueError, OSError):  # macOS has no limit of address space
            resource.setrlimit(which, (most, most))


def confine(readable: Iterable[str], folder: str) -> None:
    """Ends with the parent; reads only below `readable`, writes only below `folder`; has no network."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        _enter_namespaces(folder)
    ctypes.CDLL(None).capset(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), bytes(24))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    end_with_parent()
    if landlock_version():
        _confine_files(readable, folder)


def _enter_namespaces(folder: str) -> None:
    """No network, and a small file system of its own at `folder`. Raises OSError if it cannot be mounted."""
    libc, user, group = ctypes.CDLL(None), os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWNS):
        return
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text)
    libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(0), _FOLDER)
    os.chdir(folder)


def end_with_parent() -> None:
    """Is killed when the parent ends; children do not inherit this."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def landlock_version() -> int:
    """The version of Landlock; 0 without it."""
    if sys.platform != "linux":
        return 0
    try:
        return _call(_LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def _confine_files(readable: Iterable[str], folder: str) -> None:
    """Landlock's rules on files; also on TCP, signals and abstract sockets."""
    version = landlock_version()
    rights = (1 << _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)]) - 1
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = _call(_LANDLOCK_CREATE, struct.pack("QQQ", rights, 3, 3)[:size], size, 0)
    rights_on = {path: _READ_FOLDER if os.path.isdir(path) else _READ_FILE for path in readable}
    rights_on |= {folder: rights, os.devnull: _READ_WRITE_FILE}
    for path, allowed in rights_on.items():
        if os.path.exists(path):
            place = os.open(path, os.O_PATH)
            _call(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", allowed & rights, place), 0)
            os.close(place)
    _call(_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def refuse_calls(but: Iterable[str] = ()) -> None:
    """Refuses the system calls in `REFUSED`, and new processes and threads; `but` names exceptions."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        return
    column = [*ARCHITECTURES].index(machine)
    numbers = [known[column] for name, known in REFUSED.items() if name not in but]
    tests = [(_EQUAL, number) for number in numbers if number is not None] + [(_AT_LEAST, _X32)]
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(tests) + 2, ARCHITECTURES[machine]), (_LOAD, 0, 0, 0)]
    steps += [(test, len(tests) - place, 0, number) for place, (test, number) in enumerate(tests)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code))
    _prctl(_PR_SET_SECCOMP, 2, program)


def _prctl(option: int, value: int, argument: bytes | None = None) -> None:
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), argument, ctypes.c_ulong(0), ctypes.c_ulong(0))


def _call(number: int, *arguments: int | bytes | None) -> int:
    """A system call. Raises OSError if it fails."""
    sent = [ctypes.c_long(one) if isinstance(one, int) else one for one in (number, *arguments)]
    result = int(ctypes.CDLL(None, use_errno=True).syscall(*sent))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result

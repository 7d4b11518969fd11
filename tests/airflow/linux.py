"""What Linux says of processes and ports, and ports that are free."""

import contextlib
import re
import socket
from pathlib import Path


def processes_of(word, settings):
    """The ids of the `huaxiang <word>` commands that work on this home (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_word = f"/huaxiang\0{word}\0".encode() in (folder / "cmdline").read_bytes()
            if is_word and str(settings.home.root).encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def listeners(family):
    """(address, port) of every TCP socket on which one of the processes listens (Linux)."""
    inodes = set()
    for process in family:
        for link in Path(f"/proc/{process.pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                address, port = words[1].split(":")
                found.add((socket.inet_ntoa(bytes.fromhex(address)[::-1]) if name == "tcp" else address, int(port, 16)))
    return found


def free_ports(count):
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]

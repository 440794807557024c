"""Looks names up in turn and connects to each; as visit.c."""
import socket
import sys
import time


def visit(name, port, family):
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    address = next(entry[4] for entry in found if entry[0] == family)
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.connect(address)
        with connection.makefile() as lines:
            return list(lines)[-1].strip()


wanted = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
port, times, pause = map(int, sys.argv[2:5])
names = sys.argv[5:]
for i in range(times):
    name = names[i % len(names)]
    try:
        said = visit(name, port, wanted)
    except (OSError, LookupError, StopIteration) as error:
        said = repr(error)
    print(name, said)
    time.sleep(pause / 1000)

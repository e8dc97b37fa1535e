#!/bin/sh
# The one Python client that goes over from HTTP/1.1 to HTTP/2 in the clear reads a header's value letter for letter.
#
# Versions:  PyPI hyper 0.7.0 (the HTTP/2 of PyPI ksql 0.10.2), Python 3; the names that Python 3.10 took out of collections
#            are put back
# Guess:     values of Connection are compared without regard to case (RFC 9110 7.6.1), so the client goes over to HTTP/2
#            when a server answers 101 with "Connection: Upgrade", as it writes it itself.
# Seen:      it goes over only where the server writes "upgrade". With "Upgrade" it takes the 101 for the answer, and fails
#            with an AssertionError on the missing Content-Length.
# So:        a server that offers h2c to this client answers in small letters, whatever the client has sent.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv python > /dev/null
python/bin/pip install --quiet --disable-pip-version-check 'hyper==0.7.0'

cat > ask.py <<'PY'
import collections
import collections.abc
import socket
import threading

for name in ("Iterable", "Mapping", "MutableMapping", "MutableSet", "Sequence", "MutableSequence", "Set", "Callable"):
    setattr(collections, name, getattr(collections.abc, name))

from hyper import HTTPConnection


def answer(listener, word, told):
    """Answers one request with 101, and tells what the client sends then."""
    connection, _ = listener.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: %s\r\nUpgrade: h2c\r\n\r\n" % word)
    connection.settimeout(5)
    try:
        told.append(connection.recv(3))
    except OSError:
        told.append(b"")
    connection.close()


def ask(word):
    listener = socket.create_server(("127.0.0.1", 0))
    told = []
    server = threading.Thread(target=answer, args=(listener, word, told))
    server.start()
    client = HTTPConnection("127.0.0.1", listener.getsockname()[1])
    failed = "nothing"
    try:
        client.request("GET", "/")
        client.get_response()
    except Exception as error:
        failed = type(error).__name__
    client.close()
    server.join()
    goes_over = told[0] == b"PRI"
    return f"{word.decode()}: {'goes over to HTTP/2' if goes_over else 'stays with HTTP/1.1, raises ' + failed}"


print(ask(b"Upgrade"))
print(ask(b"upgrade"))
PY

timeout 60 python/bin/python -W ignore ask.py | tee seen
diff seen - <<'TEXT'
Upgrade: stays with HTTP/1.1, raises AssertionError
upgrade: goes over to HTTP/2
TEXT

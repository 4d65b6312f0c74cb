"""A small HTTP server that answers with a script of good and bad responses."""

import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait for each other's receipt
    server: "Server"

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        script = self.server.script
        reply = script.pop(0) if len(script) > 1 else script[0]
        reply(self)

    do_POST = do_DELETE = do_GET

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        defaults = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (defaults | _dashed(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        return


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.script: list[Reply] = [says(200, b'{"ok": true}')]

    def handle_error(self, *args: Any) -> None:
        return  # clients hang up on purpose


class Misbehaving:
    def __init__(self) -> None:
        self.server = Server()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def requests(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        return self.server.requests

    def will(self, *replies: Reply) -> None:
        """Answer with these in turn; the last one for ever."""
        self.server.script[:] = replies

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def says(status: int, body: bytes = b'{"ok": true}', **headers: str) -> Reply:
    return lambda handler: handler.say(status, body, **headers)


def resets(handler: Handler) -> None:
    linger = struct.pack("ii", 1, 0)  # close with a reset, as a dying proxy does
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def cut_short(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"ok": tr')
    handler.close_connection = True


def floods(mib: int) -> Reply:
    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(mib << 20))
        handler.end_headers()
        for _ in range(mib):
            handler.wfile.write(b" " * (1 << 20))

    return reply


def trickles(seconds: float, stop: threading.Event) -> Reply:
    """A byte now and then, so that no single read times out."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10000")
        handler.end_headers()
        while not stop.wait(seconds):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return reply


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}

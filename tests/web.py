"""A server on loopback with every fault that an answer of the web can have, and what lets a test ask it."""

import json
import socketserver
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

from vouch.curation.catalogue.limits import Limits

LOOPBACK = (ip_network("127.0.0.0/8"),)
LIMITS = Limits(
    connect_s=2.0, silence_s=0.5, answer_s=1.5, json_megabytes=0.01, photograph_megabytes=0.2,
    redirects=3, tries=2, wait_s=0.01, pages=5, cache_s=60.0,
)  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        with suppress(BrokenPipeError, ConnectionResetError):
            self.server.pages[self.path.partition("?")[0]](self)


def answer(content, kind="application/json", status=200, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    def give(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return give


def moved(target, status=302):
    return answer(b"", status=status, Location=target)


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x" * 4096)


def dribbling(handler):
    """One byte of the body every .1 s: never silent for long."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def dribbling_head(handler):
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.1)


def silent(handler):
    time.sleep(1)


def cut_short(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def failing_once(content):
    """Answer 503 first."""
    tried = []

    def give(handler):
        tried.append(1)
        answer(content, status=503 if len(tried) == 1 else 200)(handler)

    return give


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass


@contextmanager
def served(pages):
    """Yield the server and its address; `server.asked` lists the paths that were asked for."""
    socketserver.TCPServer.allow_reuse_address = True
    server = Quiet(("127.0.0.1", 0), Handler)
    server.pages, server.asked = pages, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""An endpoint: HTTPS where `openssl` can make a certificate, else HTTP."""

import collections
import http.server
import os
import shutil
import ssl
import subprocess
import threading


def make_identity(folder):
    """(certificate, key) for 127.0.0.1, or None."""
    if shutil.which("openssl") is None:
        return None
    certificate, key = os.path.join(folder, "receiver.pem"), os.path.join(folder, "receiver.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "60", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate,
         "-keyout", key],
        check=True, capture_output=True)
    return certificate, key


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a node that is killed leaves connections behind


class Receiver:
    """Answers `status` and counts requests by connector, the path's name, and id. All counts are since it began."""

    def __init__(self, identity):
        self.status = 200
        self._guard = threading.Lock()
        self._ids = collections.defaultdict(collections.Counter)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver._note(self.path[1:], self.headers["webhook-id"])
                self.send_response_only(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self._server = _Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*identity)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _note(self, connector, event_id):
        with self._guard:
            self._ids[connector][event_id] += 1

    def ids(self, connector):
        """How often each id came for it."""
        with self._guard:
            return collections.Counter(self._ids[connector])

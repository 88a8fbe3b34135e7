"""What the fakes of the tests share: a server on a free port, which fails where it is told to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(Exception):
    def __init__(self, status, body=None, **headers):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


class Fake:
    """A server on a free port. `faults`: answers that the next requests of a kind get, such as ("POST", "/tasks")."""

    def __init__(self):
        self.faults, self.calls = [], []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1  # Head and body leave together.

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                fake.calls.append((self.command, self.path))
                try:
                    status, answer, headers = 200, None, {}
                    cut = fake.fault(self.command, self.path, before=True)
                    status, answer, headers = fake.route(self.command, self.path, self.headers, body)
                    cut = fake.fault(self.command, self.path, before=False) or cut
                    if cut:
                        self.close_connection = True
                        return  # It was done, and nobody is told.
                except Answer as refused:
                    status, answer = refused.status, refused.body
                    headers = {name.replace("_", "-"): value for name, value in refused.headers.items()}
                text = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def fault(self, method, path, before):
        for fault in self.faults:
            wanted, end, answer = fault
            if wanted == method and path.split("?")[0].endswith(end) and (answer is None) != before:
                self.faults.remove(fault)
                if answer is None:
                    return True
                raise answer
        return False

    def made(self, method, end):
        return sum(1 for called, path in self.calls if called == method and path.split("?")[0].endswith(end))

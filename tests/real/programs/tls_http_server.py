"""http.server over TLS fetched by urllib, with verification, refusal, a client's view of the certificate."""
import functools
import http.server
import os
import pathlib
import ssl
import threading
import urllib.error
import urllib.request

certificate = os.environ["TEST_CERTIFICATE"]
pathlib.Path("page.html").write_text("<p>page</p>" * 1000)
pathlib.Path("data.bin").write_bytes(bytes(range(256)) * 4096)
pathlib.Path("folder").mkdir()


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, format, *arguments):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.handle_error = lambda request, address: None
threading.Thread(target=server.serve_forever, daemon=True).start()
trusting = ssl.create_default_context(cafile=certificate)
port = server.server_port


def fetch(path, context, host="localhost", **arguments):
    try:
        with urllib.request.urlopen(urllib.request.Request(f"https://{host}:{port}{path}", **arguments), context=context) as answer:
            body = answer.read()
            print(path, answer.status, answer.headers.get_content_type(), len(body), body[:60], body[-10:])
    except urllib.error.HTTPError as error:
        print(path, error.code, error.reason, len(error.read()))
    except urllib.error.URLError as error:
        print(path, type(error.reason).__name__, error.reason.reason if isinstance(error.reason, ssl.SSLError) else error.reason)


fetch("/page.html", trusting)
fetch("/data.bin", trusting)
fetch("/missing", trusting)
fetch("/folder", trusting)
fetch("/", trusting, data=b"posted" * 100000)
fetch("/page.html", ssl.create_default_context())
fetch("/page.html", trusting, host="127.0.0.1")
unverified = ssl._create_unverified_context()
unverified.maximum_version = ssl.TLSVersion.TLSv1_2
fetch("/page.html", unverified)

import socket

with socket.create_connection(("127.0.0.1", port)) as plain, trusting.wrap_socket(plain, server_hostname="localhost") as secure:
    print(secure.version(), secure.cipher(), secure.getpeercert()["subject"], secure.getpeercert()["subjectAltName"])
    secure.sendall(b"GET /page.html HTTP/1.0\r\n\r\n")
    print(secure.recv(15), functools.reduce(lambda total, part: total + len(part), iter(lambda: secure.recv(4096), b""), 0) > 11000)
server.shutdown()

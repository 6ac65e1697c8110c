"""Passes requests on to the remote site, keeps what it answers, and answers with that once the site is lost.

Of the fault `application_local_copy`. $1: the port to listen on; the environment is that of the application.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

SITE = os.environ["DATA_URL"]
ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(SITE))
TRUSTED = ssl.create_default_context(cafile=os.environ["CA_FILE"])
COPIES = {}


class Handler(BaseHTTPRequestHandler):
    """Whatever is asked, it asks the remote site for."""

    def answer(self):
        """Pass one request on; after a change, read the collection again."""
        length = int(self.headers.get("Content-Length") or 0)
        status, body = self.ask(self.command, self.path, self.rfile.read(length) or None)
        if self.command != "GET" and status < 300:
            self.ask("GET", self.path.rpartition("/")[0] if self.command == "DELETE" else self.path, None)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 (http.server names them)

    def ask(self, method, path, content):
        """Return what the remote site answers; what it answered before, where it is lost."""
        names = ("Authorization", "Content-Type", "Accept")
        headers = {name: self.headers[name] for name in names if self.headers[name]}
        request = urllib.request.Request(ORIGIN + path, data=content, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=2, context=TRUSTED) as reply:  # noqa: S310
                status, body = reply.status, reply.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()
        except OSError:
            return (200, COPIES[path]) if method == "GET" and path in COPIES else (503, b"{}")
        if method == "GET":
            COPIES[path] = body
        return status, body


def main():
    """Serve for ever, under the machine's own name."""
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Handler)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain("/etc/sio-lab/tls/machine.crt", "/etc/sio-lab/tls/machine.key")
    server.socket = own.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

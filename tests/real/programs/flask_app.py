"""flask: an app on wsgiref in a thread, fetched with urllib; sessions, blueprints, errors, templates, streaming, the test client."""
import json
import logging
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import flask

app = flask.Flask("app")
app.secret_key = "secret"
parts = flask.Blueprint("parts", __name__, url_prefix="/parts")


@parts.route("/<int:number>/<path:rest>")
def part(number, rest):
    return {"number": number, "rest": rest, "url": flask.url_for(".part", number=1, rest="x y")}


app.register_blueprint(parts)


@app.route("/hello/<name>")
def hello(name):
    return flask.render_template_string("<p>{{ name }} {% for k, v in request.args|dictsort %}{{ k }}={{ v }};{% endfor %}</p>", name=name)


@app.post("/form")
def form():
    upload = flask.request.files.get("upload")
    return flask.jsonify(form=flask.request.form.to_dict(flat=False), json=flask.request.get_json(silent=True), upload=upload and [upload.filename, upload.read().decode()])


@app.get("/stream")
def stream():
    return app.response_class((f"{n}\n" for n in range(5)), mimetype="text/plain")


@app.get("/count")
def count():
    flask.session["n"] = flask.session.get("n", 0) + 1
    flask.flash(f"visit {flask.session['n']}")
    return f"{flask.session['n']} {flask.get_flashed_messages()}"


@app.get("/fail")
def fail():
    return {}["missing"]


@app.errorhandler(404)
def missing(error):
    return f"nothing here: {error}", 404, {"X-Reason": "missing"}


@app.before_request
def before():
    flask.g.user = flask.request.headers.get("X-User", "nobody")


@app.after_request
def after(response):
    response.headers["X-User"] = flask.g.user
    return response


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *arguments):
        pass


app.logger.handlers[:] = [logging.StreamHandler(sys.stdout)]
app.logger.handlers[0].formatter = logging.Formatter("%(levelname)s %(message)s")
server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"


def fetch(path, **arguments):
    request = urllib.request.Request(base + path, **arguments)
    try:
        with urllib.request.urlopen(request) as answer:
            status, headers, body = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, headers, body = error.code, error.headers, error.read()
    kept = [(k, v) for k, v in headers.items() if k not in ("Date", "Server", "Set-Cookie")]
    print(path, status, kept, body.decode().replace(base, "BASE"))


fetch("/hello/W%C3%B6rld%3Cb%3E?b=2&a=1", headers={"X-User": "me"})
fetch("/parts/12/a/b.c")
fetch("/parts/x/a")
fetch("/form", data=urllib.parse.urlencode([("a", 1), ("a", "é"), ("b", "&")]).encode())
fetch("/form", data=json.dumps({"x": [1, None, 2.5]}).encode(), headers={"Content-Type": "application/json"})
body = b'--B\r\nContent-Disposition: form-data; name="upload"; filename="f.txt"\r\n\r\ncontent\r\n--B--\r\n'
fetch("/form", data=body, headers={"Content-Type": "multipart/form-data; boundary=B"})
fetch("/form")
fetch("/stream")
fetch("/nowhere")
server.shutdown()
app.logger.handlers[0].setFormatter(logging.Formatter("%(levelname)s"))
app.logger.handlers.clear()
app.logger.addHandler(logging.NullHandler())
client = app.test_client()
print(client.get("/fail").status, [client.get("/count").text for _ in range(3)])
with app.test_request_context("/hello/x?y=1"):
    print(flask.request.endpoint, flask.request.view_args, flask.url_for("hello", name="z", q=[1, 2], _anchor="a", _external=True))
print(app.test_cli_runner().invoke(args=["routes"]).output)
app.testing = True
try:
    client.get("/fail")
except KeyError as error:
    print(repr(error))

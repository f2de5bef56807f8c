"""What ssl says of certificates that are to be refused: expired, not yet valid, self-signed, unknown issuer, wrong host."""
import contextlib
import datetime
import os
import pathlib
import ssl
import subprocess
import socket
import threading
import urllib.error
import urllib.request


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def authority(name):
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.crt", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )


def certificate(name, issuer, names, start=-1, end=365, purpose="serverAuth", basic="critical,CA:FALSE"):
    """A key and a certificate in one file; `start` and `end` are days from now."""
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )
    pathlib.Path("extensions").write_text(
        f"subjectAltName={names}\nextendedKeyUsage={purpose}\nbasicConstraints={basic}\nkeyUsage=critical,digitalSignature\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    os.makedirs("newcerts", exist_ok=True)
    pathlib.Path("index.txt").write_text("")
    pathlib.Path("index.txt.attr").write_text("unique_subject = no\n")
    pathlib.Path("serial").write_text("1001\n")
    pathlib.Path("ca.cnf").write_text(
        "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = newcerts\ndefault_md = sha256\n"
        "policy = any\nunique_subject = no\n[any]\ncommonName = supplied\n"
    )
    now = datetime.datetime.now(datetime.timezone.utc)
    dates = [(now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ") for days in (start, end)]
    openssl(
        "ca", "-batch", "-config", "ca.cnf", "-cert", f"{issuer}.crt", "-keyfile", f"{issuer}.key", "-in", f"{name}.csr", "-out", f"{name}.crt",
        "-startdate", dates[0], "-enddate", dates[1], "-extfile", "extensions", "-notext",
    )
    pathlib.Path(f"{name}.pem").write_text(pathlib.Path(f"{name}.key").read_text() + pathlib.Path(f"{name}.crt").read_text())


authority("trusted")
authority("stranger")
certificate("good", "trusted", "DNS:localhost,IP:127.0.0.1")
certificate("expired", "trusted", "DNS:localhost", start=-30, end=-2)
certificate("early", "trusted", "DNS:localhost", start=20, end=40)
certificate("foreign", "stranger", "DNS:localhost")
certificate("elsewhere", "trusted", "DNS:example.org,DNS:*.example.net,IP:10.1.2.3")
certificate("client_only", "trusted", "DNS:localhost", purpose="clientAuth")
openssl(
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost", "-keyout", "own.key", "-out", "own.crt",
)
pathlib.Path("own.pem").write_text(pathlib.Path("own.key").read_text() + pathlib.Path("own.crt").read_text())


def tell(error):
    print("   ", type(error).__module__, type(error).__qualname__, [base.__name__ for base in type(error).__mro__[1:4]])
    print("   ", str(error))
    for name in ("errno", "library", "reason", "strerror", "verify_code", "verify_message"):
        print("     ", name, repr(getattr(error, name, "none")))


@contextlib.contextmanager
def server(name, **settings):
    """A server for one connection; what it ended with is in the list."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{name}.pem")
    for key, value in settings.items():
        if key == "cafile":
            context.load_verify_locations(value)
        else:
            setattr(context, key, value)
    listener = socket.create_server(("127.0.0.1", 0))
    ended = []

    def serve():
        with listener:
            plain, _ = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    tls.sendall(tls.recv(100)[::-1])
            except (OSError, ssl.SSLError) as error:
                ended.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], ended
    thread.join()


def connect(context, port, hostname):
    with socket.create_connection(("127.0.0.1", port)) as plain:
        with context.wrap_socket(plain, server_hostname=hostname) as tls:
            tls.sendall(b"hello")
            return tls.recv(100)


def through_memory(context, name, hostname):
    """The same over memory BIOs, where nothing depends on the network's timing."""
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(f"{name}.pem")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        context.wrap_bio(to_client, to_server, server_hostname=hostname),
        accepting.wrap_bio(to_server, to_client, server_side=True),
    ]
    done = [False, False]
    for _ in range(10):
        for index, end in enumerate(ends):
            if done[index]:
                continue
            try:
                end.do_handshake()
                done[index] = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                print("  ", ["client", "server"][index])
                tell(error)
                done[index] = True
    return done


for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    for name, hostname in [
        ("good", "localhost"),
        ("good", "127.0.0.1"),
        ("good", "other.example"),
        ("good", "127.0.0.2"),
        ("expired", "localhost"),
        ("early", "localhost"),
        ("own", "localhost"),
        ("foreign", "localhost"),
        ("elsewhere", "localhost"),
        ("elsewhere", "www.example.net"),
        ("elsewhere", "a.b.example.net"),
        ("elsewhere", "10.1.2.3"),
        ("elsewhere", "10.1.2.4"),
        ("client_only", "localhost"),
    ]:
        context = ssl.create_default_context(cafile="trusted.crt")
        context.minimum_version = context.maximum_version = version
        print(version.name, name, hostname)
        with server(name) as (port, ended):
            try:
                print("  ", connect(context, port, hostname))
            except ssl.SSLError as error:
                tell(error)
        # The server learns of the refusal by the alert, if it still listens for one.
        print("   server", [(type(error).__name__, getattr(error, "reason", None)) for error in ended])
        through_memory(context, name, hostname)

print("hostname unchecked")
context = ssl.create_default_context(cafile="trusted.crt")
context.check_hostname = False
for name in ("elsewhere", "expired"):
    with server(name) as (port, ended):
        try:
            print("  ", connect(context, port, None))
        except ssl.SSLError as error:
            tell(error)
context.verify_mode = ssl.CERT_NONE
for name in ("own", "expired", "foreign"):
    with server(name) as (port, ended):
        print("  ", connect(context, port, "localhost"))

print("a server that wants the client's certificate")
for chain in (None, "own", "expired", "client_only", "good"):
    context = ssl.create_default_context(cafile="trusted.crt")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if chain:
        context.load_cert_chain(f"{chain}.pem")
    print("  ", chain)
    with server("good", verify_mode=ssl.CERT_REQUIRED, cafile="trusted.crt") as (port, ended):
        try:
            print("  ", connect(context, port, "localhost"))
        except ssl.SSLError as error:
            print("   client", type(error).__name__, error.reason)
        except ConnectionError:
            print("   client: reset")
    for error in ended:
        tell(error)

print("urllib")
for name in ("expired", "own", "elsewhere"):
    with server(name) as (port, ended):
        try:
            urllib.request.urlopen(f"https://localhost:{port}/", context=ssl.create_default_context(cafile="trusted.crt"))
        except urllib.error.URLError as error:
            print("  ", error)
            tell(error.reason)

print("settings")
context = ssl.create_default_context()
for action in (
    lambda: setattr(context, "verify_mode", ssl.CERT_NONE),
    lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()),
    lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=""),
    lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=".example.org"),
    lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a\0b"),
    lambda: context.load_verify_locations("good.key"),
    lambda: context.load_verify_locations("missing.pem"),
    lambda: context.load_verify_locations(cadata="nothing"),
    lambda: context.load_cert_chain("good.crt", "own.key"),
    lambda: context.load_cert_chain("trusted.crt"),
):
    try:
        print("  ", action())
    except Exception as error:
        tell(error)

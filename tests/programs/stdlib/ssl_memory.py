"""ssl: handshakes over memory buffers, with a certificate made for the test."""
import gc
import ssl
import weakref

CERTIFICATE = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgn84VKZrBNvcx1eRV
yzeUprJAoMVbjtEMxSmGRv42jAahRANCAASOa3WhTvvJYvaR5H/Jv2c7TM/8EnCC
SvRsuFOSwcN8gw/t3J8UcG92EHRsfEmWpOyoq/1La+JwlUKTSu5sNemQ
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIICGTCCAb+gAwIBAgIUENmTdWhmo5bgY2p5+vrhLRj4vFkwCgYIKoZIzj0EAwIw
MjELMAkGA1UEBhMCWFkxDzANBgNVBAoMBlRhaXBhbjESMBAGA1UEAwwJbG9jYWxo
b3N0MCAXDTI2MTEyMTEzMjg0NFoYDzIxMjYxMDI4MTMyODQ0WjAyMQswCQYDVQQG
EwJYWTEPMA0GA1UECgwGVGFpcGFuMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASOa3WhTvvJYvaR5H/Jv2c7TM/8EnCCSvRsuFOS
wcN8gw/t3J8UcG92EHRsfEmWpOyoq/1La+JwlUKTSu5sNemQo4GwMIGtMB0GA1Ud
DgQWBBQ8n6Ifgq3bapk2U0h8lm6mNtPQQDAfBgNVHSMEGDAWgBQ8n6Ifgq3bapk2
U0h8lm6mNtPQQDBaBgNVHREEUzBRgglsb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAA
AAAAAAAAAAGBBWFAYi5jhgxodHRwOi8veC55L3qIAyoDBKQSMBAxDjAMBgNVBAMM
BW90aGVyMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgMy1aA7mG
esHc+aAIlpT/fam2UCSIt1JnPPXlmV+F9JICIQC0TD4rzKI5BuECoBdh0Xb4Cufo
amMhXeIm/Wjrvc1g/g==
-----END CERTIFICATE-----
"""


def shown(work):
    try:
        return repr(work())
    except Exception as error:
        return f"{type(error).__name__}: {error.args}"


def pair(client, server, hostname="localhost", **more):
    """Connects a client and a server object."""
    c_in, c_out, s_in, s_out = (ssl.MemoryBIO() for _ in range(4))
    c = client.wrap_bio(c_in, c_out, server_hostname=hostname, **more)
    s = server.wrap_bio(s_in, s_out, server_side=True)

    def step(call):
        for _ in range(20):
            try:
                return call()
            except ssl.SSLWantReadError:
                s_in.write(c_out.read())
                for other in s, c:
                    try:
                        other.do_handshake()
                    except ssl.SSLWantReadError:
                        pass
                s_in.write(c_out.read())
                c_in.write(s_out.read())
        raise RuntimeError("no end")

    step(c.do_handshake)
    s_in.write(c_out.read())
    step(s.do_handshake)
    c_in.write(s_out.read())
    return c, s, (c_in, c_out, s_in, s_out)


import tempfile

with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
    file.write(CERTIFICATE)
    file.flush()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file.name)
    client = ssl.create_default_context(cafile=file.name)
    decoded = ssl._ssl._test_decode_cert(file.name)
for key, value in decoded.items():
    print(key, value)

server.set_alpn_protocols(["h2", "http/1.1"])
client.set_alpn_protocols(["http/1.1"])
c, s, (c_in, c_out, s_in, s_out) = pair(client, server)
print(c.version(), c.cipher()[1:], c.selected_alpn_protocol(), s.selected_alpn_protocol(), c.server_hostname)
print(c.getpeercert() == decoded, s.getpeercert(), c.session_reused, s.compression())
print([type(x).__name__ for x in c._sslobj.get_verified_chain()], c._sslobj.get_unverified_chain())
chain = c.get_verified_chain()
print(chain[0] == ssl.PEM_cert_to_DER_cert(CERTIFICATE[CERTIFICATE.index("-----BEGIN CERT"):]))
print(c.write(b"spam" * 10000))
s_in.write(c_out.read())
got = b""
while len(got) < 40000:
    got += s.read(16000)
print(got == b"spam" * 10000, s.pending())
target = bytearray(5)
s.write(b"eggs!")
c_in.write(s_out.read())
print(c.read(5, target), target)
print(shown(lambda: c.read(5)))
print(shown(lambda: c.unwrap()))
s_in.write(c_out.read())
s.unwrap()
c_in.write(s_out.read())
print(shown(lambda: c.unwrap()))

# Names that don't fit, and chains that nobody trusts.
print(shown(lambda: pair(client, server, "example.org")))
print(shown(lambda: pair(client, server, "127.0.0.2")))
print(shown(lambda: pair(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), server)))

# The server's name chooses the context; what callbacks raise is reported, and the handshake fails.
names = []
server.sni_callback = lambda connection, name, context: names.append((name, context is server))
pair(client, server)
print(names)
server.sni_callback = lambda *args: ssl.ALERT_DESCRIPTION_ACCESS_DENIED
print(shown(lambda: pair(client, server)))
server.sni_callback = None

# Messages are shown to the debugging callback, whose exceptions come through.
seen = set()
client._msg_callback = lambda conn, direction, version, content, kind, data: seen.add((direction, int(content)))
pair(client, server)
print(sorted(seen))
client._msg_callback = lambda *args: 1 / 0
print(shown(lambda: pair(client, server)))
client._msg_callback = None

# Pre-shared keys instead of certificates.
psk_client, psk_server = (ssl.SSLContext(p) for p in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
psk_client.check_hostname = False
psk_client.verify_mode = ssl.CERT_NONE
for context in psk_client, psk_server:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK")
psk_client.set_psk_client_callback(lambda hint: (print("hint", hint), ("me", b"\xc0\xff\xee"))[1])
psk_server.set_psk_server_callback(lambda identity: (print("identity", identity), b"\xc0\xff\xee")[1], "hint!")
print(pair(psk_client, psk_server, None)[0].cipher()[1:])

# Sessions are resumed.
client.maximum_version = ssl.TLSVersion.TLSv1_2
c, s, _ = pair(client, server)
session = c.session
print(session.has_ticket, len(session.id) > 0, session == c.session, shown(lambda: hash(session)))
c, s, _ = pair(client, server, session=session)
print(c.session_reused, s.session_reused, len(c.get_channel_binding()), c.get_channel_binding() == s.get_channel_binding())

# Garbage instead of TLS, and an end that nobody announced.
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
broken = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
incoming.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
print(shown(broken.do_handshake))
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
broken = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
incoming.write_eof()
print(shown(broken.do_handshake))

# Cycles through callbacks are collected.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.sni_callback = lambda *args, own=context: None
gone = weakref.ref(context)
del context
gc.collect()
print(gone())

# Callbacks can't use the connection that they are called by, and may take away what they were called for.
S, C = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), client
with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
    file.write(CERTIFICATE)
    file.flush()
    S.load_cert_chain(file.name)


def forget(connection, name, context):
    context.sni_callback = None
    connection.context = server
    gc.collect()
    print(connection.version(), connection.cipher(), connection.context is server)


S.sni_callback = forget
c, s, _ = pair(C, S)
print(s.context is server, c.version())
for cls in ssl.SSLSession, ssl._ssl._SSLSocket, ssl._ssl.Certificate:
    print(shown(cls), shown(lambda: cls.__new__(cls)))

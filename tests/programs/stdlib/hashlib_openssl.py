"""_hashlib: OpenSSL's hash functions, keyed hashes and key derivation."""
import _hashlib
import hashlib
import hmac
import threading


def shown(work):
    try:
        return repr(work())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


for name in sorted(_hashlib.openssl_md_meth_names):
    h = _hashlib.new(name, b"Nobody expects")
    h.update(b" the Spanish Inquisition")
    size = () if h.digest_size else (20,)
    print(name, h.name, h.block_size, h.digest_size, type(h).__name__, h.hexdigest(*size))
    copy = h.copy()
    copy.update(b"!")
    print(copy.hexdigest(*size) == _hashlib.new(name, b"Nobody expects the Spanish Inquisition!").hexdigest(*size))

print(hashlib.sha256 is _hashlib.openssl_sha256, len(_hashlib._constructors))
print(shown(lambda: _hashlib.new("nope")))
print(shown(lambda: _hashlib.new("md5", "text")))
print(shown(lambda: _hashlib.new("md5", b"a", string=b"b")))
print(shown(lambda: _hashlib.HASH()))
print(shown(lambda: _hashlib.new("shake_128").digest(1 << 40)))
print(shown(lambda: _hashlib.new("shake_128").digest(-1)))
for digest in "md5", _hashlib.openssl_sha1, hashlib.sha512, "shake_128", None, 5:
    print(shown(lambda: _hashlib.hmac_new(b"key", b"msg", digestmod=digest).hexdigest()))
    print(shown(lambda: _hashlib.hmac_digest(b"key", b"msg", digest)))
print(hmac.new(b"k", b"m", "sha3_256").name, hmac.digest(b"k", b"m", "sha1").hex())
print(shown(lambda: hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000).hex()))
print(shown(lambda: hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 0)))
print(shown(lambda: hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1, 0)))
print(shown(lambda: hashlib.scrypt(b"password", salt=b"NaCl", n=1024, r=8, p=16, dklen=16).hex()))
print(shown(lambda: hashlib.scrypt(b"password", salt=b"NaCl", n=3, r=8, p=16)))
print(shown(lambda: hashlib.scrypt(b"password", salt=b"NaCl", n=2**20, r=8, p=1)))
for pair in ("a", "a"), ("a", "b"), (b"a", bytearray(b"a")), ("a", b"a"), ("é", "é"), (1, 1):
    print(shown(lambda: _hashlib.compare_digest(*pair)))

# Long inputs are hashed without the interpreter's lock: many threads on one object.
h = hashlib.sha256()
block = b"x" * 100_000
threads = [threading.Thread(target=lambda: [h.update(block) for _ in range(20)]) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(h.hexdigest() == hashlib.sha256(block * 80).hexdigest())

"""The three Unicode errors: arguments and texts, odd ranges included."""


def show(call):
    try:
        print(repr(call()))
    except BaseException as error:
        print(type(error).__name__, "|", error)


show(lambda: UnicodeEncodeError())
show(lambda: UnicodeEncodeError(1, 2, 3, 4, 5))
show(lambda: UnicodeEncodeError("a", "b", 0, 1, 3))
show(lambda: UnicodeEncodeError("a", "b", "c", 1, 3))
show(lambda: UnicodeDecodeError("a", "b", 0, 1, "x"))
show(lambda: UnicodeDecodeError("a", bytearray(b"b"), 0, 1, "x").object)
show(lambda: UnicodeEncodeError("a", b"b", 0, 1, "x"))
show(lambda: UnicodeEncodeError("a", "b", 0, 1, "x", a=1))
show(lambda: UnicodeTranslateError("a", 0, 1))
show(lambda: UnicodeEncodeError("a", "b", 0.5, 1, "x"))
show(lambda: UnicodeEncodeError("a", "b", 2**70, 1, "x"))
ranges = [(0, 1), (0, 2), (-1, 1), (3, 4), (2, 1), (-5, -3), (0, 100), (100, 200), (1, 1), (2, 2)]
for start, end in ranges:
    for text in ["ab", "\u20ac\U0001f600", ""]:
        error = UnicodeEncodeError("enc", text, start, end, "rsn")
        show(lambda: (error.start, error.end, str(error)))
        error = UnicodeTranslateError(text, start, end, "rsn")
        show(lambda: (error.start, error.end, str(error)))
    error = UnicodeDecodeError("enc", b"a\xff", start, end, "rsn")
    show(lambda: (error.start, error.end, str(error)))
error = UnicodeDecodeError.__new__(UnicodeDecodeError)
show(lambda: str(error))
show(lambda: (error.start, error.end, error.object, error.reason))
error = UnicodeEncodeError("enc", "ab", 0, 1, "x")
error.object = 5
show(lambda: str(error))
error.object = "a"
error.reason = 5
show(lambda: str(error))
del error.encoding
show(lambda: str(error))
show(lambda: error.encoding)
error.encoding = 3
show(lambda: str(error))
show(lambda: setattr(error, "start", "a"))
show(lambda: delattr(error, "start"))
show(lambda: delattr(error, "object"))
show(lambda: str(error))
show(lambda: error.object)

# _tokenize, with extra tokens and without: ends of lines, doubled braces, numbers that run into names.
import io
import _tokenize
import warnings

warnings.simplefilter("ignore")
for source in ["1", "x = 1\r\n# c\r\ny\r\n", "if 1:\n  x\n", "0<>1\n", "f'{{a}}{b!r:>{w}}'\n", "012\n", "1a\n",
               "x = '''a\r\nb'''\r\n", "if 1:\r\n  x", "é=1\n", "a;b\n\n# e\n"]:
    for extra in False, True:
        print(ascii(source), extra)
        try:
            for token in _tokenize.TokenizerIter(io.StringIO(source, newline="").readline, extra_tokens=extra):
                print("  ", ascii(token))
        except SyntaxError as error:
            print("  ", error.msg)

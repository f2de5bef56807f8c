# Sources in any codec that the registry knows, and the errors of those that can't be decoded.

def attempt(source):
    try:
        names = {}
        exec(compile(source, "no file.py", "exec"), names)
        print(ascii(names.get("x")))
    except SyntaxError as error:
        print(type(error).__name__, ascii(error.args))


attempt(b"# coding: iso8859-15\nx = '\xa4'")
attempt(b"#!/bin/x\n# -*- coding: cp1252 -*-\nx = '\x80'")
attempt(b"# coding: KOI8-R\nx = '\xc1'")
attempt(b"# coding: cp437\nx = '\x9b'\ny = = 1")
attempt(b"# coding: U7\nx = '+AOQ-'")
attempt(b"# coding=latin-1-unix\nx = '\xe4'")
attempt(b"# coding: utf_8\nx = '\xc3\xa4'")
attempt(b"\xef\xbb\xbf# coding: utf-8\nx = '\xc3\xa4'")
attempt(b"# coding: fake\n")
attempt(b"# coding: hex_codec\n")
attempt(b"# coding: ascii\n\xe2")
attempt(b"# coding: utf8\nx = '\xff'")
attempt(b"# coding: raw_unicode_escape\nx = '\\udc80'\n")
attempt(b"# coding: utf-8\nx = '\xff'")
attempt(b"\n\n  \xe2\x82\n x")
attempt(b"\xef\xbb\xbf# a\n# coding: latin-1\n")
attempt(b"\xef\xbb\xbf# coding: fake\n")
attempt("x = '\\N{TANGUT IDEOGRAPH-17000} \\N{LATIN SMALL LETTER GHA}'")

# The compiler's errors: columns in bytes, no text when there is no file.
attempt("'ä'; return")
attempt("def f(a, a): pass")
attempt("from __future__ import division; import sys; from __future__ import division")
attempt("match 1:\n  case f'': pass")

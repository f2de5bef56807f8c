"""Writes clinic.txt: what CPython's own Argument Clinic test module says to many calls.

Run by CPython 3.14:  python3.14 clinic.py > clinic.txt
One line a call: function, number of positional arguments, keyword names ("-" for none), "=" or the TypeError's text.
"""

import _testclinic

NAMES = """
    test_empty_function objects_converter keyword_only_parameter keywords keywords_kwonly
    keywords_opt keywords_opt_kwonly posonly_keywords posonly_keywords_kwonly posonly_keywords_kwonly_opt
    posonly_keywords_opt posonly_kwonly posonly_kwonly_opt posonly_opt_keywords_opt
    posonly_opt_keywords_opt_kwonly_opt posonly_opt_kwonly_opt posonly_poskw_varpos posonly_req_opt_varpos
    posonly_varpos poskw_varpos poskw_varpos_kwonly_opt varpos varpos_kwonly_opt varpos_kwonly_req_opt
""".split()
KEYWORDS = ["", "a", "b", "c", "z", "a b", "b a", "b c", "b z", "z c", "a b c", "c d e", "a b c d e"]

for name in NAMES:
    function = getattr(_testclinic, name)
    for count in range(6):
        for keywords in KEYWORDS:
            try:
                function(*range(count), **dict.fromkeys(keywords.split(), 0))
            except TypeError as error:
                result = str(error)
            else:
                result = "="
            print(name, count, keywords.replace(" ", ",") or "-", result)

class Problem(Exception):
    pass


def first():
    try:
        {}["key"]
    except KeyError as error:
        raise Problem("no key") from error


try:
    first()
except Problem:
    raise RuntimeError(
        "while handling"
    )

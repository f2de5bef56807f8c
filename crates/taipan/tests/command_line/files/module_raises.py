def inner():
    raise ValueError("from a module")


inner()

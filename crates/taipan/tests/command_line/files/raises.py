def divide(a, b):
    return a / b


def run():
    values = [divide(1, n) for n in (1, 0)]
    return values


run()

# Type arguments that contain themselves end in an exception.
inside_itself = []
inside_itself.append(inside_itself)


def attempt(make):
    try:
        make()
    except RecursionError as error:
        return type(error).__name__


print(attempt(lambda: list[inside_itself].__parameters__))
print(attempt(lambda: dict[int, (inside_itself,)].__parameters__))

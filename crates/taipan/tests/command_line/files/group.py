def leaf(n):
    raise ValueError(n)


errors = []
for n in range(3):
    try:
        leaf(n)
    except ValueError as error:
        errors.append(error)
raise ExceptionGroup("several", [*errors, ExceptionGroup("inner", [TypeError("t")])])

"""sympy: calculus, solving, printing, matrices, number theory."""
from sympy import *

x, y, z, n = symbols("x y z n")
f = Function("f")
print(expand((x + y) ** 7), factor(x**6 - 1), apart((x + 3) / (x**3 - x)), simplify(sin(x) ** 2 + cos(x) ** 2))
print(integrate(exp(-(x**2)) * cos(x), (x, -oo, oo)), integrate(1 / (x**3 + 1), x), diff(sin(x * y) ** 2, x, 2, y))
print(solve(x**4 - 5 * x**2 + 4), solve([x + y - 3, x * y - 2], [x, y]), solveset(Eq(sin(x), 1), x), nsolve(cos(x) - x, 1))
print(dsolve(f(x).diff(x, 2) + 4 * f(x) - sin(x), f(x)), series(tan(x), x, 0, 10), limit((1 + 1 / n) ** n, n, oo))
print(summation(1 / n**4, (n, 1, oo)), product(n / (n + 1), (n, 1, 5)), Sum(n, (n, 1, x)).doit())
matrix = Matrix([[1, 2, 3], [0, 1, 4], [5, 6, x]])
print(matrix.det(), matrix.inv().applyfunc(simplify), Matrix([[2, 1], [1, 2]]).eigenvects(), Matrix([[1, 2], [3, 4]]).jordan_form())
print(factorint(2**67 - 1), isprime(2**127 - 1), totient(360), list(sieve.primerange(50)), continued_fraction(sqrt(14)))
print(groebner([x**2 + y**2 - 1, x - y], x, y), Poly(x**3 - 2 * x + 1).all_roots(), resultant(x**2 - 1, x**2 + x, x))
print(latex(Integral(sqrt(x) / y, (x, 0, 1))), srepr(x**2 + 1), mathml(x + 1), ccode(sin(x) ** 2), python(x + y))
print(pretty(Integral(exp(-(x**2) / 2) / sqrt(2 * pi), (x, -oo, oo)) + Matrix([[x, y], [1, 2]]).det(), use_unicode=True))
print(parse_expr("2*x + sin(y)**2").subs({x: 3, y: pi / 2}), N(pi, 60), Rational(22, 7), nsimplify(0.333333, rational=True))
print(laplace_transform(exp(-2 * x) * sin(x), x, y, noconds=True), fourier_series(x, (x, -pi, pi)).truncate(3), S(4).is_prime)
print(satisfiable((x >> y) & (y >> z) & x & ~z), to_cnf(Xor(x, y, z)), Piecewise((x, x > 0), (-x, True)).rewrite(Abs))
print([str(term) for term in (x + y + z).as_ordered_terms()], lambdify((x, y), x**2 + sin(y))(2, 0.5), cse([sin(x + y) + (x + y) ** 2]))
for bad in (lambda: sympify("x +"), lambda: Matrix([[1, 2], [2, 4]]).inv(), lambda: Poly(1 / x, x)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[:2])

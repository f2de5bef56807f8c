"""mpmath: many digits of constants, special functions, quadrature, roots, matrices."""
import mpmath as mp

mp.mp.dps = 200
print(mp.pi, mp.e, mp.zeta(3), mp.catalan, mp.euler, sep="\n")
mp.mp.dps = 50
print(mp.gamma("0.5") ** 2, mp.zetazero(1), mp.besselj(1, 3.5), mp.hyp2f1(1, 2, 3, 0.5), mp.polylog(2, 0.5), sep="\n")
print(mp.quad(lambda x: mp.exp(-(x**2)), [-mp.inf, mp.inf]), mp.nsum(lambda n: 1 / n**2, [1, mp.inf]), mp.limit(lambda n: (1 + 1 / n) ** n, mp.inf))
print(mp.findroot(mp.cos, 1), mp.polyroots([1, -6, 11, -6]), mp.diff(mp.sin, 1, 3), mp.taylor(mp.exp, 0, 5))
matrix = mp.matrix([[2, 1, 0], [1, 3, 1], [0, 1, 4]])
print(matrix**-1, mp.det(matrix), mp.eigsy(matrix)[0], mp.lu_solve(matrix, [1, 2, 3]), sep="\n")
print(mp.identify(mp.mpf("1.6180339887498948482045868343656381177"), ["sqrt(5)"]), mp.pslq([mp.pi, mp.atan(1)]))
print(mp.iv.mpf([1, 2]) / 3, mp.fp.gamma(4.5), mp.nstr(mp.mpc(1, 2) ** mp.mpf("0.3"), 20), repr(mp.mpf("0.1")))
print(mp.fib(300), mp.bernfrac(40), mp.primepi(10000), mp.stieltjes(1), mp.lambertw(1), mp.odefun(lambda x, y: y, 0, 1)(1))
for bad in (lambda: mp.mpf("x"), lambda: mp.zeta(1), lambda: mp.gamma(0)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)

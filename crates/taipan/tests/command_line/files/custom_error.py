class Outer:
    class Inner(Exception):
        __module__ = "some.module"


raise Outer.Inner("text\nsecond line")
